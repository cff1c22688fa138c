"""The paper's baseline: softmax regression on the pixels of 224 px.

    python scripts/train.py --config configs/softmax.py

Expect a validation accuracy near 0.3 in `six`, as little as the paper's 0.243: one layer cannot see a
distortion. Trains at the speed of the distortions: about 400 pictures/s on two CPU cores (five minutes).
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
    steps=1000,
    evaluate_every=500,
  )
