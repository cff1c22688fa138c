"""The study's SGDNet transfer: one dense layer on the frozen features of a network that rates picture quality.

    python scripts/convert_weights.py --from sgdnet CHECKPOINT.pkl --output weights/sgdnet.safetensors
    python scripts/train.py --config configs/sgdnet_transfer.py --config.data.source=folder:photos

CHECKPOINT.pkl is what SGDNet's authors publish (https://github.com/ysyscool/SGDNet). The study reports a test accuracy
of 0.887 in `six` and 0.837 in `variable`, from 28,000 ImageNet originals; it has not been measured here yet.
`--config.model.weights=random` runs without the file, to see that it works. On CPU a batch goes through the network in
parts that fit the memory; `--config.batch_size=16` is enough for a try.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="sgdnet_transfer", weights="weights/sgdnet.safetensors"),
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-3, decay=2e-5),
    batch_size=128,
    steps=15_000,
    evaluate_every=500,
  )
