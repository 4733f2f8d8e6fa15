"""Why a question has no answer."""
