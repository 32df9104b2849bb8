"""The Sophgo families against vectors of the vendor's compiler."""
