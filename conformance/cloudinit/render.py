"""Renders network data with cloud-init's own code, as guests do at their first boot.

The folder with the package cloudinit is the argument. Standard input is a list of guests, {"networkData": "...", "nics":
{"enp1s0": "02:..."}}. Standard output is {"version": "...", "guests": [...]}, with {"names": {mac: name}, "files": {renderer:
{path: content}}, "errors": {renderer: message}, "invalid": "..."} for each. The names are those of the NICs after cloud-init has renamed what it
is told to rename, which it does before it renders.
"""
import importlib
import json
import logging
import os
import sys
import tempfile

sys.path.insert(0, sys.argv[1])
logging.disable(logging.CRITICAL)
RENDERERS = ["netplan", "networkd", "sysconfig", "eni", "network-manager"]


def renderer(kind):
    """A renderer with the settings of a distribution that uses it."""
    importlib.import_module("cloudinit.distros.rhel")  # first, because some versions import each other in a circle
    module = importlib.import_module("cloudinit.net." + kind.replace("-", "_"))
    settings = {}
    if kind == "eni":
        settings = {"eni_path": "etc/network/interfaces", "netrules_path": "etc/udev/rules.d/70-persistent-net.rules"}
    elif kind == "netplan":
        settings = {"netplan_path": "etc/netplan/50-cloud-init.yaml", "postcmds": False}
    elif kind == "sysconfig":
        distro = importlib.import_module("cloudinit.distros.rhel").Distro
        settings = dict(distro.renderer_configs.get("sysconfig", {}))
        settings["control"] = "etc/sysconfig/network"
    elif kind == "networkd":
        settings = {"resolve_conf_fn": "/etc/systemd/resolved.conf.d/50-cloud-init.conf",
                    "network_conf_dir": "/etc/systemd/network/"}
    return module.Renderer(settings)


def renamed(config, nics):
    """The NICs by their names after the renaming."""
    from cloudinit import net

    names = {mac.lower(): name for name, mac in nics.items()}
    for mac, name, _, _ in net.extract_physdevs(config):
        if mac.lower() not in names:
            raise RuntimeError("Not all expected physical devices present: %s" % mac)
        names[mac.lower()] = name
    if len(set(names.values())) != len(names):
        raise RuntimeError("two NICs have one name: %s" % names)
    return names


def observe(names):
    """Makes cloud-init see the given NICs, wherever it looks for them."""
    from cloudinit import net
    from cloudinit.net import network_state

    for module in (net, network_state):
        if hasattr(module, "get_interfaces_by_mac"):
            module.get_interfaces_by_mac = lambda *_: dict(names)
        if hasattr(module, "find_interface_name_from_mac"):
            module.find_interface_name_from_mac = lambda mac: names.get(mac.lower())


def files(top):
    found = {}
    for folder, _, entries in os.walk(top):
        for entry in entries:
            path = os.path.join(folder, entry)
            with open(path, encoding="utf-8") as f:
                found[os.path.relpath(path, top)] = f.read()
    return found


def render(kind, state):
    with tempfile.TemporaryDirectory() as target:
        if kind == "sysconfig":  # its distributions have this folder
            os.makedirs(os.path.join(target, "etc/sysconfig/network-scripts"))
        renderer(kind).render_network_state(state, target=target)
        return files(target)


def invalid(config):
    """What the schema of newer versions finds wrong with the network data, which makes them call themselves degraded."""
    try:
        from cloudinit.config import schema

        kind = getattr(schema.SchemaType, "NETWORK_CONFIG_V%s" % config["version"])
    except (ImportError, AttributeError):
        return ""
    try:
        schema.validate_cloudconfig_schema(config=config, schema_type=kind, strict=True)
    except schema.SchemaValidationError as e:
        return str(e)
    return ""


def answer(asked):
    from cloudinit import util
    from cloudinit.net import network_state

    load = getattr(util, "load_yaml", None) or importlib.import_module("cloudinit.safeyaml").load
    config = load(asked["networkData"])
    names = renamed(config, asked["nics"])
    observe(names)
    made = {"names": names, "files": {}, "errors": {}, "invalid": invalid(config)}
    for kind in RENDERERS:
        try:
            by = renderer(kind)
            try:
                state = network_state.parse_net_config_data(config, renderer=by)
            except TypeError:  # older versions do not ask who renders
                state = network_state.parse_net_config_data(config)
            made["files"][kind] = render(kind, state)
        except ModuleNotFoundError as e:  # older versions know fewer
            if not str(e.name).startswith("cloudinit.net."):
                raise
        except Exception as e:  # what cloud-init says of it is the answer
            made["errors"][kind] = "%s: %s" % (type(e).__name__, e)
    return made


def main():
    from cloudinit import util, version

    util.chownbyname = lambda *_: None  # this machine need not have the user systemd-network
    guests = [answer(asked) for asked in json.load(sys.stdin)]
    json.dump({"version": version.version_string(), "guests": guests}, sys.stdout)


main()
