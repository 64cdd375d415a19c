from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.runs

APP_CONFIG = AppConfig(
    app_name="runs",
    migrations_folder_path=str(Path(migrations.runs.__file__).parent),
    table_classes=table_finder(["app.runs.tables"]),
)
