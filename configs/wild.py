"""The recogniser: several distortions at once, slight ones, on pictures of any size.

    python scripts/train.py --config configs/wild.py \
      --config.data.source=0.6*folder:photos+0.3*cuts:originals+0.1*synthetic

`photos` are small sharp photographs, `originals` pictures as cameras give them, of which squares are cut. On two CPU
cores without AVX-512 it trains on about 135 pictures/s. What it reaches, in accuracy and otherwise, is in
docs/recogniser.md. To go on from the weights that come with the package, for another label space or with other
pictures: `--config.init=jaxdistort/inference/recogniser.safetensors`.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TaskConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="0.9*samples+0.1*synthetic", image_size=96),
    protocol=ProtocolConfig(name="wild"),
    task=TaskConfig(name="recognition"),
    model=ModelConfig(name="multiscale"),
    optimizer=OptimizerConfig(name="adam", learning_rate=3e-3, schedule="cosine", warmup_steps=200, clip_norm=1.0),
    batch_size=64,
    steps=16_000,
    evaluate_every=1000,
  )
