"""The store as Parquet files, for anyone's analysis: events, transfers and cards, nothing personal."""
