// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/checks/check.h"
#include "core/util/json.h"

#include <map>

namespace tealdeck {

/// Somebody's word that an item of the operator's checklist is done.
struct SignedItem {
    std::string by;
    std::string reason;
    std::string question; ///< what was signed: an item whose question has changed since has to be signed again
    std::int64_t wallUs = 0;
};
using SignedItems = std::map<std::string, SignedItem>; ///< by the item's id

/// The plan's manual items that belong to the moment, as lines of the checklist named "MAN/<id>". Unknown until signed off, and again when
/// the sign-off is older than the item allows.
std::vector<CheckState> manualChecks(const Plan& plan, const CheckContext& context, const SignedItems& items, std::int64_t nowWallUs,
                                     std::int64_t nowUs);
/// The plan's item that a line or a bare id names; nullptr when there is none.
const ManualItem* manualItem(const Plan& plan, const std::string& name);

Json toJson(const SignedItems& items);
/// What is no sign-off is left out.
SignedItems signedItemsFromJson(const Json& json);

} // namespace tealdeck
