"""The small network at the paper's 224 px, for a folder of photographs and no accelerator.

    python scripts/train.py --config configs/compact.py --config.data.source=folder:photos

Expect TODO.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="compact"),
    optimizer=OptimizerConfig(name="adam", learning_rate=3e-3, schedule="cosine", warmup_steps=100),
    batch_size=32,
    steps=6000,
    evaluate_every=1000,
  )
