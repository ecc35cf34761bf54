"""Remote cameras over VISCA: model, ways to them, session, driver."""
