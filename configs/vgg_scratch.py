"""The paper's VGG16, trained from scratch on distorted pictures of 224 px.

    python scripts/train.py --config configs/vgg_scratch.py --config.data.source=folder:photos

The paper reports a test accuracy of 0.988 in `six` and 0.856 in `variable`, from 28,000 ImageNet originals.
Made for an accelerator (batches of 128, bfloat16), where it has not been measured yet. On CPU it runs with
batches of 8, at about one picture a second on two cores: enough to see that it works.
"""

import jax

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  on_cpu = jax.default_backend() == "cpu"
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="vgg_scratch"),
    # RMSProp's first steps are as long as its learning rate, however small the gradient: hence the warm-up.
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, decay=2e-5, warmup_steps=200),
    batch_size=8 if on_cpu else 128,  # 128 pictures take 22 GB in float32, and two minutes a step on CPU
    steps=15_000,
    evaluate_every=500,
  )
