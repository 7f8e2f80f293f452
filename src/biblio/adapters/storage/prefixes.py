"""What a prefix means, wherever the objects lie."""


def is_meant(prefix: str, key: str) -> bool:
    """Whether `Storage.remove` is to remove what lies at `key`: a storage would also take what begins like it."""
    return key == prefix or (prefix.endswith("/") and key.startswith(prefix))
