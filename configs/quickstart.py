"""A small network on sample photographs and dead leaves of 96 px: distortions named in minutes on a laptop.

    python scripts/train.py --config configs/quickstart.py

Expect an accuracy of 0.979 in `six` on photographs that it never saw, after 2 to 3 minutes of training on two CPU
cores (64,000 pictures; the network alone would do 700 pictures/s, the rest of the time goes into making them).
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="0.75*samples+0.25*synthetic", image_size=96),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="compact"),
    optimizer=OptimizerConfig(name="adam", learning_rate=3e-3, schedule="cosine", warmup_steps=100),
    batch_size=32,
    steps=2000,
    evaluate_every=1000,
  )
