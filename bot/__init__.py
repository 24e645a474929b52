"""甬改问答: an offline question-answering bot for the local reforms of Ningbo."""

__version__ = "0.1.0"
