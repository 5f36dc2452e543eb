"""Networks that join optical and SAR and are made for clouds."""
