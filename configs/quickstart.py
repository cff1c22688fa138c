"""Quickstart."""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="0.6*samples+0.4*synthetic", image_size=96),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="compact"),
    optimizer=OptimizerConfig(name="adam", learning_rate=3e-3, schedule="cosine", warmup_steps=100),
    batch_size=32,
    steps=1800,
    evaluate_every=600,
  )
