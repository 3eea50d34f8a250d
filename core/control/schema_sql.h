// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace tealdeck {

/// Makes the control schema in one database (both sides, every database of the deployment). Can be run again. Works on 12 to 18.
/// Never published: tealdeck. Published in both directions: tealdeck_sync.marker, whose row 1 proves a drain, row 2 probes, row 3 beats.
extern const char* const CONTROL_SCHEMA_SQL;

} // namespace tealdeck
