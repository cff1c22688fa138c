"""The study's VGG16 transfer: a convolution and two dense layers on VGG16's first four blocks, with ImageNet's weights.

    python scripts/convert_weights.py --from keras-vgg16 --download --output weights/vgg16.safetensors
    python scripts/train.py --config configs/vgg_transfer.py --config.data.source=folder:photos

The study reports a test accuracy of 0.992 in `six` and 0.850 in `variable`, from 28,000 ImageNet originals; here it was
0.982 in `six` after 5,120 pictures (docs/results.md). `--config.model.weights=random` runs without the file, to see
that it works. Variants that the study tried: `--config.model.head_convolutions=2`, `--config.model.dropout=0.5`,
`--config.optimizer.name=adam`, `--config.model.input_scaling=raw`. On CPU a batch goes through the network in parts
that fit the memory; `--config.batch_size=8` is enough for a try.
"""

from jaxdistort.config import DataConfig, ModelConfig, OptimizerConfig, ProtocolConfig, TrainConfig


def get_config() -> TrainConfig:
  return TrainConfig(
    data=DataConfig(source="samples+synthetic", image_size=224),
    protocol=ProtocolConfig(name="six"),
    model=ModelConfig(name="vgg_transfer", weights="weights/vgg16.safetensors"),
    # RMSProp's first steps are as long as its learning rate, however small the gradient: hence the warm-up.
    optimizer=OptimizerConfig(name="rmsprop", learning_rate=1e-4, decay=2e-5, warmup_steps=200),
    batch_size=128,
    steps=15_000,
    evaluate_every=500,
  )
