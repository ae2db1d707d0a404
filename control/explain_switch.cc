// SPDX-License-Identifier: BSD-3-Clause
//
// The explainer's words for the switch: which VLAN, what was learned, where the destination is, how it
// leaves.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "control/config_json.h"
#include "control/explainer.h"
#include "control/said.h"

namespace sluice::control {

using dataplane::kNoPort;
using dataplane::PortMode;
using dataplane::Stage;

namespace {

std::string text_of(dataplane::Mac48 mac) {
  return mac_text(dataplane::octets(mac));
}

}  // namespace

// "trunk port, vlan 10 (home.yaml:11)"; of one without a bridge "interface uplink (home.yaml:20)".
std::string Explainer::ingress_words(const View& view) const {
  const dataplane::Port& port = view.context.port(view.batch.ingress[view.place]);
  const std::string& name = port_name(view.batch.ingress[view.place]);
  if (port.mode == PortMode::routed)
    return absl::StrCat("port of interface ", interface_words(port.interface));
  const Membership member = membership(config(), name);
  if (member.port == nullptr) return absl::StrCat("port ", name, " is in no bridge");
  const std::string line = said(member.port->location);
  const dataplane::DomainId domain = port.domain_of_vid[view.batch.vid(view.place)];
  if (domain != 0) {
    return absl::StrCat(member.port->trunk ? "trunk" : "access", " port, vlan ",
                        view.context.domain(domain).vid, " of bridge ", member.bridge->name, " (", line, ")");
  }
  if (!member.port->trunk)
    return absl::StrCat("access port (", line, "), which takes untagged frames of vlan ",
                        member.port->native_vlan, " alone");
  return absl::StrCat("trunk port (", line, "), which takes vlans ", absl::StrJoin(member.port->vlans, ", "),
                      member.port->native_vlan == 0 ? " and no untagged frame" : "");
}

std::string Explainer::learning_words(const View& view) const {
  const dataplane::Batch& batch = view.batch;
  const uint64_t key = dataplane::MacTable::key(batch.source[view.place], batch.domain[view.place]);
  const dataplane::MacTable& macs = *view.context.shared.macs;
  const dataplane::PortIndex now = macs.find(key, macs.hash(key));
  const std::string mac = text_of(batch.source[view.place]);
  if (now == kNoPort) return absl::StrCat(mac, " is not learned");
  if (now != batch.ingress[view.place])
    return absl::StrCat(mac, " belongs to ", port_name(now), " and is not learned here");
  if (view.seen.learned_on == kNoPort) return absl::StrCat(mac, " learned on ", port_name(now));
  if (view.seen.learned_on == now) return absl::StrCat(mac, " known on ", port_name(now));
  return absl::StrCat(mac, " moved from ", port_name(view.seen.learned_on), " to ", port_name(now));
}

std::string Explainer::destination_words(const View& view) const {
  const std::string mac = text_of(view.batch.destination[view.place]);
  if (view.next == Stage::ip_in && !view.gone) {
    return absl::StrCat("destination ", mac, " is the address of interface ",
                        interface_words(view.batch.interface[view.place]), ": routed");
  }
  if (dataplane::is_group(view.batch.destination[view.place]))
    return absl::StrCat("destination ", mac, " is a group");
  if (view.next == Stage::replicate && !view.gone) return absl::StrCat("where ", mac, " is, is not known");
  const dataplane::DomainId domain = view.batch.domain[view.place];
  if (domain == 0) return absl::StrCat("destination ", mac);
  const std::string& port = port_name(view.batch.egress[view.place]);
  const Membership member = membership(config(), port);
  const config::StaticMac* entry = member.bridge == nullptr
                                       ? nullptr
                                       : static_mac(*member.bridge, view.context.domain(domain).vid,
                                                    dataplane::octets(view.batch.destination[view.place]));
  return absl::StrCat(
      "destination ", mac, " is on ", port,
      entry == nullptr ? ", learned" : absl::StrCat(", static (", said(entry->location), ")"));
}

std::string Explainer::switch_words(const View& view) const {
  const dataplane::Port& port = view.context.port(view.batch.ingress[view.place]);
  const std::string ingress = ingress_words(view);
  const bool admitted = port.mode != PortMode::routed && view.batch.domain[view.place] != 0;
  const bool refused = view.next == Stage::drop && !view.gone &&
                       view.batch.drop_reason[view.place] != dataplane::DropReason::same_port;
  if (refused) return ingress;
  const std::string learned = admitted ? learning_words(view) + "; " : "";
  return absl::StrCat(ingress, "; ", learned, destination_words(view));
}

std::vector<dataplane::Member> Explainer::flooded(const View& view) const {
  const dataplane::Domain& domain = view.context.domain(view.batch.domain[view.place]);
  std::vector<dataplane::Member> members;
  for (uint32_t i = 0; i < domain.members; ++i) {
    const dataplane::Member& member = view.context.snapshot->members[domain.first_member + i];
    if (member.port != view.batch.ingress[view.place] || view.batch.routed[view.place] != 0)
      members.push_back(member);
  }
  return members;
}

std::string Explainer::flood_words(const View& view) const {
  if (!view.gone) return "";  // dropped: there is nobody else
  const dataplane::Domain& domain = view.context.domain(view.batch.domain[view.place]);
  std::vector<std::string> ports;
  for (const dataplane::Member& member : flooded(view))
    ports.push_back(absl::StrCat(port_name(member.port), member.vid == 0 ? "" : " tagged"));
  return absl::StrCat("to all other ports of vlan ", domain.vid, ": ", absl::StrJoin(ports, ", "));
}

std::string Explainer::leaving_words(const View& view) const {
  const dataplane::PortIndex egress = view.batch.egress[view.place];
  const std::string& name = port_name(egress);
  const dataplane::DomainId domain = view.batch.domain[view.place];
  if (!view.gone) return absl::StrCat(name, " takes ", view.context.port(egress).mtu, " octets at most");
  if (view.context.port(egress).mode == PortMode::routed || domain == 0) return name;
  const dataplane::EgressTag tag =
      dataplane::egress_tag(view.context.port(egress), domain, view.context.domain(domain));
  return tag.vid == 0 ? absl::StrCat(name, ", untagged") : absl::StrCat(name, ", tagged with vlan ", tag.vid);
}

}  // namespace sluice::control
