// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/discovery/patroni.h"
#include "core/model/inventory.h"
#include "core/postgres/connection.h"

#include <functional>
#include <string>
#include <vector>

namespace tealdeck {

/// Asks one server about what it has. `ask` runs a statement on a database of that server; "" means the endpoint's own.
class InventoryQuery {
  public:
    using Ask = std::function<Result<Rows>(const std::string& database, const std::string& sql)>;
    explicit InventoryQuery(Ask ask) : m_ask(std::move(ask)) {}

    /// Nothing here fails: each part that could not be asked is named under `unknown`. Extensions and publications are those of the given
    /// databases, as far as the server has them. Sizes cost a look at every file of a database.
    Inventory take(Side side, const Endpoint& endpoint, const std::vector<std::string>& databases);

    /// The settings that are told, comma by comma, quoted.
    static const char* settingNames();

  private:
    /// The rows; none, and the part marked unknown, when the question failed.
    Rows rows(const char* part, const std::string& database, const std::string& sql);
    void server();
    void disk();
    void perDatabase(const std::vector<std::string>& databases);

    Ask m_ask;
    Inventory m_found;
};

} // namespace tealdeck
