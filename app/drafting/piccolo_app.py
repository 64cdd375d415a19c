from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import migrations.drafting

APP_CONFIG = AppConfig(
    app_name="drafting",
    migrations_folder_path=str(Path(migrations.drafting.__file__).parent),
    table_classes=table_finder(["app.drafting.tables"]),
)
