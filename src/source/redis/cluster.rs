//! The masters of a cluster and the slots that each of them serves: every one of them is a stream of the same backup.

use super::address::Endpoint;
use super::connection::{Connection, ConnectionError};

/// One master, or the replica that is asked in its stead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The master's id.
    pub id: String,
    /// Where the master listens.
    pub endpoint: Endpoint,
    /// Where its replicas that are in step listen.
    pub replicas: Vec<Endpoint>,
    /// Its slots, as ranges with both ends in them.
    pub slots: Vec<(u16, u16)>,
}

/// Why a cluster cannot be backed up, or written to, as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// It could not be asked.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// Slots are nobody's.
    #[error("the cluster of {server} is not whole: {n_missing} of its 16384 slots are served by no master")]
    NotWhole {
        /// A node of it.
        server: String,
        /// How many slots.
        n_missing: usize,
    },
    /// Slots are on their way from one master to another.
    #[error("the cluster of {server} is moving slots between masters: keys on their way could be missed")]
    Moving {
        /// A node of it.
        server: String,
    },
    /// The slots have moved while the masters were read.
    #[error("the cluster of {server} has moved slots or masters during the backup: keys may have been missed")]
    Moved {
        /// A node of it.
        server: String,
    },
    /// A line of `CLUSTER NODES` cannot be read.
    #[error("the cluster of {server} describes a node as `{line}`, which cannot be read")]
    Unreadable {
        /// A node of it.
        server: String,
        /// The line.
        line: String,
    },
}

impl ClusterError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Connection(error) => error.help(),
            Self::NotWhole { .. } => Some("bring the missing masters back (redis-cli --cluster check)".to_owned()),
            Self::Moving { .. } | Self::Moved { .. } => {
                Some("wait until the resharding is over, or finish it (redis-cli --cluster fix)".to_owned())
            }
            Self::Unreadable { .. } => None,
        }
    }

    /// Whether it passes by itself.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Moving { .. } | Self::Moved { .. })
    }
}

/// How many slots a cluster has.
const N_SLOTS: usize = 16384;

/// The masters that serve slots, ordered by their first slot. Together they serve all of them.
pub fn masters(connection: &mut Connection) -> Result<Vec<Node>, ClusterError> {
    let text = connection.text(&[b"CLUSTER", b"NODES"])?;
    parse(&text, connection.server())
}

/// The slot of a key: by its hash tag, if it has one.
pub fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % 16384
}

/// CRC-16/XMODEM, as Appendix A of the cluster specification has it.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 })
    })
}

/// A line is `<id> <ip:port@bus[,host]> <flags> <master> <ping> <pong> <epoch> <link> <slot>…`.
fn parse(text: &str, server: &str) -> Result<Vec<Node>, ClusterError> {
    let unreadable = |line: &str| ClusterError::Unreadable { server: server.to_owned(), line: line.to_owned() };
    let mut masters = Vec::new();
    let mut replicas = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [id, address, flags, master, _, _, _, link, slots @ ..] = fields.as_slice() else {
            return Err(unreadable(line));
        };
        let is = |flag: &str| flags.split(',').any(|each| each == flag);
        let endpoint = endpoint(address, server).ok_or_else(|| unreadable(line))?;
        if slots.iter().any(|slot| slot.starts_with('[')) {
            return Err(ClusterError::Moving { server: server.to_owned() });
        }
        if is("master") && !slots.is_empty() && !is("fail") {
            let slots = slots.iter().map(|range| slot_range(range)).collect::<Option<_>>();
            let slots = slots.ok_or_else(|| unreadable(line))?;
            masters.push(Node { id: (*id).to_owned(), endpoint, replicas: Vec::new(), slots });
        } else if is("slave") && *link == "connected" && !is("fail") {
            replicas.push(((*master).to_owned(), endpoint));
        }
    }
    for (master, endpoint) in replicas {
        masters.iter_mut().filter(|node| node.id == master).for_each(|node| node.replicas.push(endpoint.clone()));
    }
    let n_served: usize =
        masters.iter().flat_map(|node| &node.slots).map(|(first, last)| usize::from(last - first) + 1).sum();
    if n_served < N_SLOTS {
        return Err(ClusterError::NotWhole { server: server.to_owned(), n_missing: N_SLOTS - n_served });
    }
    masters.sort_by_key(|node| node.slots.first().copied());
    Ok(masters)
}

/// `10.0.0.1:6379@16379,host`; a node that was never told its own address leaves it empty.
fn endpoint(text: &str, server: &str) -> Option<Endpoint> {
    let (address, host) = text.split_once(',').map_or((text, ""), |(address, host)| (address, host));
    let address = address.split_once('@').map_or(address, |(address, _)| address);
    let (ip, port) = address.rsplit_once(':')?;
    let own = || server.rsplit_once(':').map_or(server, |(host, _)| host).trim_matches(['[', ']']);
    // TLS needs the name that the certificate has; 7.0 tells it behind the comma, 7.2 with a `hostname=` of extensions.
    let host = host.split(',').next().unwrap_or_default();
    let host = if host.is_empty() || host.contains('=') { ip } else { host };
    Some(Endpoint::Tcp(if host.is_empty() { own().to_owned() } else { host.to_owned() }, port.parse().ok()?))
}

fn slot_range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last && usize::from(last) < N_SLOTS).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::{ClusterError, Endpoint, parse, slot};

    const NODES: &str = "\
a1 127.0.0.1:7001@17001,one master - 0 0 1 connected 8192-16383
b2 127.0.0.1:7000@17000 myself,master - 0 0 2 connected 0-8000 8001-8191
c3 127.0.0.1:7002@17002 slave a1 0 0 1 connected
d4 :0@0 master,noaddr - 0 0 3 disconnected
";

    #[test]
    fn the_masters_come_by_their_slots_with_their_replicas() {
        let nodes = parse(NODES, "cache:7000").unwrap();
        assert_eq!(nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>(), ["b2", "a1"]);
        assert_eq!(nodes[0].slots, [(0, 8000), (8001, 8191)]);
        assert_eq!(nodes[1].endpoint, Endpoint::Tcp("one".to_owned(), 7001));
        assert_eq!(nodes[1].replicas, [Endpoint::Tcp("127.0.0.1".to_owned(), 7002)]);
    }

    #[test]
    fn a_cluster_with_a_hole_or_in_motion_is_refused() {
        let hole = parse(&NODES.replace("0-8000", "1-8000"), "cache:7000").unwrap_err();
        assert!(matches!(hole, ClusterError::NotWhole { n_missing: 1, .. }), "{hole}");
        let moving = parse(&NODES.replace("8001-8191", "8001-8191 [93->-a1]"), "cache:7000").unwrap_err();
        assert!(matches!(moving, ClusterError::Moving { .. }), "{moving}");
    }

    /// The values are those of `CLUSTER KEYSLOT`.
    #[test]
    fn a_key_is_in_the_slot_that_the_server_says() {
        let check = |key: &str, expected: u16| assert_eq!(slot(key.as_bytes()), expected, "{key}");
        check("", 0);
        check("foo", 12182);
        check("{user1000}.following", slot(b"user1000"));
        check("foo{}{bar}", 8363);
        check("foo{{bar}}zap", slot(b"{bar"));
    }
}
