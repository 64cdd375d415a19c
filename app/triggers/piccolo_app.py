from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.triggers

APP_CONFIG = AppConfig(
    app_name="triggers",
    migrations_folder_path=str(Path(migrations.triggers.__file__).parent),
    table_classes=table_finder(["app.triggers.tables"]),
)
