"""The 25 types of KADID-10k and clean pictures told apart, fine-tuned from the recogniser's weights.

    python scripts/train.py --config configs/kadid10k.py --config.init=recogniser.safetensors \
      --config.data.source=folder:photos

The recogniser is the model file of `configs/wild.py`; without `--config.init` the network begins anew. The best
checkpoint is the one with the highest validation accuracy. On CPU it runs too.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TaskConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="0.9*samples+0.1*synthetic", image_size=128),
    protocol=ProtocolConfig(name="kadid10k"),
    task=TaskConfig(name="classification"),
    model=ModelConfig(name="multiscale"),
    optimizer=OptimizerConfig(name="adam", learning_rate=1e-3, schedule="cosine", warmup_steps=200, clip_norm=1.0),
    batch_size=64,
    steps=8000,
    evaluate_every=1000,
  )
