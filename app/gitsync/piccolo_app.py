from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.gitsync

APP_CONFIG = AppConfig(
    app_name="gitsync",
    migrations_folder_path=str(Path(migrations.gitsync.__file__).parent),
    table_classes=table_finder(["app.gitsync.tables"]),
)
