"""The grammar of the commands, in files by what they are for."""
