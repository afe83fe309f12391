//! Recognising a transaction pooler, through which a dump cannot keep its snapshot, and naming the way around it.

use super::{Connection, Host, join};

/// A connection string that leads to a transaction pooler.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{evidence}: a dump needs one session for its whole length, which a transaction pooler does not give; {way_out}"
)]
pub struct Pooled {
    evidence: String,
    way_out: String,
}

/// Whether the connection string names a pooler in transaction mode. Supabase's pooler on port 5432 is in session mode, and
/// often the only address of a project that IPv4 reaches: it is fine.
pub(super) fn recognise(connection: &Connection) -> Option<Pooled> {
    let flagged = matches!(connection.parameter("pgbouncer"), Some("true" | "1"));
    let hosts = connection.hosts_or_default();
    let pooled_host =
        hosts.iter().find(|host| host.port == Some(SUPABASE_TRANSACTION_PORT) || neon_direct(&host.name).is_some());
    let evidence = match pooled_host {
        Some(host) if neon_direct(&host.name).is_some() => format!("{} is Neon's pooler", host.name),
        Some(_) => format!("port {SUPABASE_TRANSACTION_PORT} is a transaction pooler (Supabase)"),
        None if flagged => "`pgbouncer=true` says that this is PgBouncer".to_owned(),
        None => return None,
    };
    let host = pooled_host.or(hosts.first())?;
    Some(Pooled { evidence, way_out: way_out(connection, host) })
}

const SUPABASE_TRANSACTION_PORT: u16 = 6543;

fn way_out(connection: &Connection, host: &Host) -> String {
    let at = |name: &str| {
        let mut direct = connection.clone();
        direct.hosts = vec![Host { name: name.to_owned(), port: Some(super::DEFAULT_PORT) }];
        direct
    };
    if let Some(direct) = neon_direct(&host.name) {
        return format!("use the direct URL {}", at(&direct));
    }
    if host.name.ends_with(".pooler.supabase.com") {
        let session = at(&host.name);
        let project = connection.parameter("user").and_then(|user| user.split_once('.'));
        let direct = project.map(|(user, project)| {
            let mut direct = at(&format!("db.{project}.supabase.co"));
            direct.parameters.insert("user", user.to_owned());
            format!(", or the direct URL {direct}")
        });
        return format!("use the session pooler {session}{}", direct.unwrap_or_default());
    }
    if host.name.starts_with("db.") && host.name.ends_with(".supabase.co") {
        return format!("use the direct URL {}", at(&host.name));
    }
    let name = join(std::slice::from_ref(host), |host| host.name.clone());
    format!("use the URL of the server behind {name} (ORMs call it DIRECT_URL), mostly on port {}", super::DEFAULT_PORT)
}

/// `ep-x-123-pooler.region.aws.neon.tech` is the pooler in front of `ep-x-123.region.aws.neon.tech`.
fn neon_direct(host: &str) -> Option<String> {
    let (endpoint, domain) = host.split_once('.')?;
    let endpoint = endpoint.strip_suffix("-pooler")?;
    domain.ends_with("neon.tech").then(|| format!("{endpoint}.{domain}"))
}
