"""The study's baseline: softmax regression on the pixels of 224 px.

    python scripts/train.py --config configs/softmax.py

Expect a validation accuracy of 0.14 to 0.20 in `six`, little above chance (0.143; the study reports 0.243 from
28,000 originals): one layer cannot see a distortion. On two CPU cores it trains on 340 pictures/s and takes 3 to 4
minutes.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="softmax"),
    # 150,000 inputs move a logit at once: at the rate of the deep networks the loss only grows.
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=2e-6, decay=2e-5),
    batch_size=128,
    steps=500,
    evaluate_every=500,
  )
