"""What everything stands on: settings, params, files, git, processes, errors."""
