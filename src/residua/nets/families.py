"""The families of networks that others are made from, as one union of settings."""

from residua.nets.cifar import CifarConfig
from residua.nets.dense import DenseConfig
from residua.nets.highway import HighwayConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.mnist import MnistConfig
from residua.nets.vgg import VggConfig
from residua.nets.wide import WideConfig

Family = (
    CifarConfig
    | DenseConfig
    | HighwayConfig
    | ImagenetConfig
    | MnistConfig
    | VggConfig
    | WideConfig
)
