"""The networks of the five studies, a file a family; the import registers them by name."""

from __future__ import annotations

from typing import Final

from fer_mobile.zoo import Architecture, register

_NETWORKS: Final = (
    ("baseline", "thesis_baseline", 102_830_056, 224, "thesis, figure 12"),
    ("baseline_enhanced", "thesis_baseline", 102_830_856, 224, "thesis, figure 17"),
    ("fractal", "fractal", 26_395_128, 224, "thesis, figures 19 and 20"),
    ("alexnet", "alexnet", 58_290_888, 224, "thesis, figure 13"),
    ("alexnet_two_stream", "alexnet", 56_877_768, 224, "thesis, figure 14"),
    ("googlenet", "transfer", 21_819_176, 224, "thesis, table 5: InceptionV3"),
    ("mobilenet", "transfer", 3_237_064, 224, "thesis, table 5"),
    ("five_block_cnn", "four_class", 4_146_244, 48, "study 000, appendix 1"),
    ("simpler_cnn", "four_class", 605_924, 48, "study 000, appendix 4"),
    ("two_conv", "two_conv", 6_500_383, 48, "study 001"),
    ("simple_cnn", "emotion11", 683_140, 48, "study 002"),
    ("larger_cnn", "emotion11", 1_634_756, 48, "study 002"),
    ("resnet_like", "emotion11", 298_084, 48, "study 002, its best"),
    ("small_vit", "emotion11", 309_412, 48, "study 002, proposed there"),
    ("five_block_leaky", "four_class", 4_146_820, 48, "study 004, final model"),
    ("capstone_model_1", "four_class", 605_572, 48, "study 004, model 1"),
    ("capstone_model_2", "four_class", 325_604, 48, "study 004, model 2"),
    ("transfer", "transfer", 14_847_044, 48, "studies 000, 002, 004: VGG16 etc."),
)
"""Name, module, parameters and input size with default options, where it is described."""

for _name, _module, _parameters, _size, _source in _NETWORKS:
    register(Architecture(_name, f"{__name__}.{_module}", _parameters, _size, _source))
