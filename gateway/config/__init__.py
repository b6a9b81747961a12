"""The installation as its config.yaml says it: keys (settings), folders, partners and secrets (installation)."""

from gateway.config.installation import ConfigTrouble
from gateway.config.installation import FileTrouble
from gateway.config.installation import Installation
from gateway.config.installation import config_here
from gateway.config.installation import load_installation
from gateway.config.settings import Settings
from gateway.user_files import FolderResolver
from gateway.user_files import default_resolver
from gateway.user_files import find_config
from gateway.user_files import shipped_defaults

__all__ = [
    "ConfigTrouble",
    "FileTrouble",
    "FolderResolver",
    "Installation",
    "Settings",
    "config_here",
    "default_resolver",
    "find_config",
    "load_installation",
    "shipped_defaults",
]
