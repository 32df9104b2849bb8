"""Templates of a QconfigSetter, one file each; `qconfig_setter` has their names."""
