"""A run of seconds, for tests."""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=32, workers=0),
    protocol=ProtocolConfig(name="variable", jpeg_quality=0),
    model=ModelConfig(name="compact"),
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-3),
    batch_size=16,
    steps=12,
    evaluate_every=4,
    log_every=2,
  )
