"""Setters: the rules of the field, one file each; `qconfig_template` has their names."""
