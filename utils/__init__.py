"""The rooms behind `poseNet.ipynb`, one module a stage."""
