from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.gateway

APP_CONFIG = AppConfig(
    app_name="gateway",
    migrations_folder_path=str(Path(migrations.gateway.__file__).parent),
    table_classes=table_finder(["app.gateway.tables"]),
)
