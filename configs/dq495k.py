"""DQ-495K's question: noise, blur, JPEG, darkening or nothing, and at which of five levels.

    python scripts/train.py --config configs/dq495k.py --config.init=recogniser.safetensors \
      --config.data.source=folder:photos

The recogniser is the model file of `configs/wild.py`; without `--config.init` the network begins anew. How its answers
become a type and a level, and the accuracy of these, is told in docs/evaluation.md. On CPU it runs too.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TaskConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="0.9*samples+0.1*synthetic", image_size=128),
    protocol=ProtocolConfig(name="dq495k"),
    task=TaskConfig(name="recognition"),
    model=ModelConfig(name="multiscale"),
    optimizer=OptimizerConfig(name="adam", learning_rate=1e-3, schedule="cosine", warmup_steps=200, clip_norm=1.0),
    batch_size=64,
    steps=8000,
    evaluate_every=1000,
  )
