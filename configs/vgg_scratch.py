"""The paper's VGG16 from scratch on distorted photographs of 224 px."""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="vgg_scratch"),
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, decay=2e-5, warmup_steps=200, clip_norm=1.0),
    batch_size=128,
    steps=15_000,
  )
