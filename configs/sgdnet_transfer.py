"""The paper's SGDNet transfer: one dense layer on the frozen features of a network that judges picture quality.

    python scripts/convert_weights.py --from sgdnet CHECKPOINT.pkl --output weights/sgdnet.safetensors
    python scripts/train.py --config configs/sgdnet_transfer.py --config.data.source=folder:photos

CHECKPOINT.pkl is what SGDNet's authors publish (https://github.com/ysyscool/SGDNet). The paper reports a test accuracy
of 0.887 in `six` and 0.837 in `variable`, from 28,000 ImageNet originals; it has not been measured here yet.
`--config.model.weights=random` runs without the file, to see that it works. On CPU, two cores, with batches of 16.
"""

import jax

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  on_cpu = jax.default_backend() == "cpu"
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="sgdnet_transfer", weights="weights/sgdnet.safetensors"),
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-3, decay=2e-5),
    batch_size=16 if on_cpu else 128,
    steps=15_000,
    evaluate_every=500,
  )
