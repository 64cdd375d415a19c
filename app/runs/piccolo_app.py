import pkgutil
from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.runs
from app.runs import tables

PARTS = [part.name for part in pkgutil.iter_modules(tables.__path__, f"{tables.__name__}.")]

APP_CONFIG = AppConfig(
    app_name="runs",
    migrations_folder_path=str(Path(migrations.runs.__file__).parent),
    table_classes=table_finder(PARTS, exclude_imported=True),
)
