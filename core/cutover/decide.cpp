// SPDX-License-Identifier: GPL-3.0-or-later
// What is to be done with a deployment that nobody drives any more: pure, asked by settling, by a test of all states and by the model.
#include "core/cutover/settle.h"

namespace tealdeck {
namespace {

using Verdict = Situation::Verdict;

bool is(const std::optional<SideRow>& row, SideRole role) {
    return row && row->role == role;
}

/// One database's say; the deployment's is the strongest of them.
struct Votes {
    bool begun = false;
    bool greenOpened = false; ///< green is primary while blue is fenced in the generation before
    bool blueOpened = false;
    bool toGreenUnderWay = false;
    bool toBlueUnderWay = false;
    bool onBlue = false;
    bool onGreen = false;
    bool unclear = false;
};

void vote(const Situation::Database& d, bool neverOpened, Votes& v) {
    if (!d.blue && !d.green) {
        v.unclear = true;
        return;
    }
    if ((!d.blue || d.blue->role == SideRole::None) && (!d.green || d.green->role == SideRole::None)) {
        v.unclear = v.unclear || (!d.blue || !d.green);
        return;
    }
    v.begun = true;
    if (is(d.green, SideRole::Primary)) {
        // Green rules. Blue is behind (fenced, to follow later), follows already, or can't say; it can't be primary by construction.
        if (is(d.blue, SideRole::Primary)) {
            v.unclear = true;
        } else if (is(d.blue, SideRole::Fenced)) {
            v.greenOpened = true;
        } else {
            v.onGreen = true;
            v.toBlueUnderWay = v.toBlueUnderWay || d.greenLoginsClosed || is(d.blue, SideRole::Received);
        }
        return;
    }
    if (is(d.blue, SideRole::Primary)) {
        if (is(d.green, SideRole::Fenced)) {
            v.blueOpened = true;
        } else {
            v.onBlue = true;
            v.toGreenUnderWay = v.toGreenUnderWay || d.blueLoginsClosed || is(d.green, SideRole::Received);
        }
        return;
    }
    if (is(d.blue, SideRole::Fenced)) {
        if (!d.green && !neverOpened) {
            v.unclear = true; // green might have been opened: giving blue back could make two primaries
        }
        v.toGreenUnderWay = true;
        return;
    }
    if (is(d.green, SideRole::Fenced)) {
        if (!d.blue && !neverOpened) {
            v.unclear = true;
        }
        v.toBlueUnderWay = true;
        return;
    }
    v.unclear = true;
}

} // namespace

const char* verdictName(Verdict verdict) {
    switch (verdict) {
    case Verdict::NotBegun:
        return "not begun";
    case Verdict::OnBlue:
        return "writes on BLUE";
    case Verdict::OnGreen:
        return "writes on GREEN";
    case Verdict::ReturnToBlue:
        return "return writes to BLUE";
    case Verdict::ReturnToGreen:
        return "return writes to GREEN";
    case Verdict::CompleteToGreen:
        return "complete to GREEN";
    case Verdict::CompleteToBlue:
        return "complete to BLUE";
    case Verdict::Unclear:
        break;
    }
    return "unclear";
}

Verdict decide(const Situation& situation, bool neverOpened) {
    Votes v;
    for (const Situation::Database& database : situation.databases) {
        vote(database, neverOpened, v);
    }
    // One database past the point of no return pulls the others along.
    if (v.greenOpened || (v.onGreen && v.toGreenUnderWay)) {
        return v.blueOpened || v.onBlue ? Verdict::Unclear : Verdict::CompleteToGreen;
    }
    if (v.blueOpened || (v.onBlue && v.toBlueUnderWay && !v.toGreenUnderWay)) {
        return v.onGreen ? Verdict::Unclear : Verdict::CompleteToBlue;
    }
    if (v.unclear || (v.onBlue && v.onGreen) || (v.toGreenUnderWay && v.toBlueUnderWay)) {
        return Verdict::Unclear;
    }
    if (!v.begun) {
        return Verdict::NotBegun;
    }
    if (v.toGreenUnderWay) {
        return Verdict::ReturnToBlue;
    }
    if (v.toBlueUnderWay) {
        return Verdict::ReturnToGreen;
    }
    return v.onGreen ? Verdict::OnGreen : Verdict::OnBlue;
}

} // namespace tealdeck
