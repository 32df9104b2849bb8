"""What calibrators of other toolchains do around their observers, one file each."""
