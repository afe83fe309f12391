//! The scratch database of a test restore: in a throw-away cluster by default, on a named server if the user says so. It
//! is never the source, and nothing else on a named server is touched.

use super::client::{ClientError, ClientSearch, ClientTools};
use super::cluster::{ClusterError, ClusterSettings, ScratchCluster};
use super::connection::{Connection, ConnectionError};
use super::load::{LoadError, Target};
use super::structure::{Structure, structure};
use super::{OpenDatabase, PostgresError, PostgresSource};
use crate::catalog::{BackupId, Manifest, PostgresFacts, SourceName};
use crate::contents::Contents;

/// Where scratch databases are made.
#[derive(Debug, Clone)]
pub enum ScratchPlace {
    /// In a throw-away cluster, with the programs found by this search.
    Cluster(ClusterSettings, ClientSearch),
    /// On this server.
    Server(Connection),
}

/// An empty database that waits for a restore.
#[derive(Debug)]
pub struct Scratch {
    home: Home,
    connection: Connection,
    tools: ClientTools,
    note: Option<String>,
    backup: BackupId,
    source: SourceName,
    facts: PostgresFacts,
}

#[derive(Debug)]
enum Home {
    Cluster(Box<ScratchCluster>),
    Server(Connection, String),
}

/// Why there is no scratch database.
#[derive(Debug, thiserror::Error)]
pub enum ScratchError {
    /// No throw-away cluster.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// No programs of the right version.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The database could not be made.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An address is odd.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The named server is the source's own.
    #[error("scratch.url points at the very server that {source_name} is backed up from")]
    IsSource {
        /// The source.
        source_name: SourceName,
    },
}

impl ScratchError {
    /// What to do about it, if anything is known.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Cluster(error) => error.help(),
            Self::Client(error) => Some(error.help()),
            Self::Load(error) => error.help(),
            Self::IsSource { .. } => {
                Some("leave scratch.url out to use a throw-away cluster, or name another server".to_owned())
            }
            Self::Connection(_) => None,
        }
    }
}

impl Scratch {
    /// Makes an empty database for a backup, with its encoding and locale where the machine has them.
    pub async fn make(
        place: &ScratchPlace,
        manifest: &Manifest,
        facts: &PostgresFacts,
        client: &ClientSearch,
    ) -> Result<Self, ScratchError> {
        let (home, connection, tools, note) = match place {
            ScratchPlace::Cluster(settings, server) => in_cluster(settings, server, facts).await?,
            ScratchPlace::Server(server) => on_server(server, (manifest, facts), client).await?,
        };
        let (backup, source) = (manifest.id.clone(), manifest.source.clone());
        Ok(Self { home, connection, tools, note, backup, source, facts: facts.clone() })
    }

    /// What was known of its source.
    pub fn facts(&self) -> &PostgresFacts {
        &self.facts
    }

    /// The database.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The client programs that fit it.
    pub fn tools(&self) -> &ClientTools {
        &self.tools
    }

    /// Whether its server has other tenants, whose roles are not ours to make.
    pub fn is_shared(&self) -> bool {
        matches!(self.home, Home::Server(..))
    }

    /// What it is, for the evidence.
    pub fn describe(&self) -> String {
        match &self.home {
            Home::Cluster(_) => format!("throw-away cluster of PostgreSQL {}", self.tools.version()),
            Home::Server(server, name) => format!("{name} on {server}"),
        }
    }

    /// Asserts that it is empty and makes what a restore needs: roles, schemas that a selection of tables lacks, and the
    /// certainty that extensions are there.
    pub async fn prepare(&self, facts: &PostgresFacts, contents: &Contents) -> Result<Vec<String>, LoadError> {
        let mut target = Target::connect(&self.connection).await?;
        target.assert_empty().await?;
        if !self.is_shared() {
            target.create_roles(facts).await?;
        }
        target.assert_extensions(facts).await?;
        target.create_schemas(facts, contents).await?;
        target.close().await;
        Ok(self.note.iter().cloned().collect())
    }

    /// Opens it as a source, to be dumped by the same code as the source was.
    pub async fn open(&self, facts: &PostgresFacts) -> Result<OpenDatabase, PostgresError> {
        let (name, connection) = (self.source.clone(), self.connection.clone());
        let source = PostgresSource::for_comparison(name, connection, &self.tools, facts);
        source.open(&self.backup).await
    }

    /// Looks beneath its contents.
    pub async fn structure(&self, facts: &PostgresFacts) -> Result<Structure, LoadError> {
        structure(&self.connection, facts).await
    }

    /// Changes it on purpose, to show that the proof notices.
    pub async fn damage(&self, sql: &str) -> Result<(), LoadError> {
        let mut target = Target::connect(&self.connection).await?;
        target.run(sql.to_owned(), "damaging the copy").await?;
        target.close().await;
        Ok(())
    }

    /// Another database of its server, from where copies of it can be made.
    pub fn beside(&self) -> Result<Connection, ScratchError> {
        match &self.home {
            Home::Cluster(cluster) => Ok(cluster.connection("postgres")?),
            Home::Server(server, _) => Ok(server.clone()),
        }
    }

    /// Has a throw-away cluster log as much as production does; a named server logs what its owner set.
    pub async fn log_for_replicas(&mut self) -> Result<(), ScratchError> {
        match &mut self.home {
            Home::Cluster(cluster) => Ok(cluster.log_for_replicas().await?),
            Home::Server(..) => Ok(()),
        }
    }

    /// Removes it.
    pub async fn stop(self) {
        match self.home {
            Home::Cluster(cluster) => cluster.stop().await,
            Home::Server(server, name) => {
                if let Err(error) = drop_database(&server, &name).await {
                    tracing::warn!(%error, database = name, "the scratch database could not be dropped");
                }
            }
        }
    }

    /// Leaves it to the user; returns its address.
    pub async fn keep(self) -> Result<String, ScratchError> {
        match self.home {
            Home::Cluster(cluster) => Ok(cluster.keep(CLUSTER_DATABASE).await?.to_string()),
            Home::Server(..) => Ok(self.connection.to_string()),
        }
    }
}

type Made = (Home, Connection, ClientTools, Option<String>);

async fn in_cluster(
    settings: &ClusterSettings,
    server: &ClientSearch,
    facts: &PostgresFacts,
) -> Result<Made, ScratchError> {
    let tools = ClientTools::find(facts.major, server).await?;
    let cluster = ScratchCluster::start(&tools, settings).await?;
    let mut target = Target::connect(&cluster.connection("postgres")?).await?;
    let note = target.create_database(CLUSTER_DATABASE, facts).await?;
    target.adopt_monetary_locale(CLUSTER_DATABASE, facts).await?;
    target.close().await;
    let connection = cluster.connection(CLUSTER_DATABASE)?;
    Ok((Home::Cluster(Box::new(cluster)), connection, tools, note))
}

async fn on_server(
    server: &Connection,
    (manifest, facts): (&Manifest, &PostgresFacts),
    client: &ClientSearch,
) -> Result<Made, ScratchError> {
    let mut target = Target::connect(server).await?;
    let identifier = target.system_identifier().await;
    if identifier.is_some() && identifier == facts.system_identifier {
        return Err(ScratchError::IsSource { source_name: manifest.source.clone() });
    }
    let tools = ClientTools::find(target.major().await?, client).await?;
    let name = name_on_server(&manifest.id);
    // A leftover of a run that died; nobody else makes such names.
    target.drop_database(&name).await?;
    let note = target.create_database(&name, facts).await?;
    target.adopt_monetary_locale(&name, facts).await?;
    target.close().await;
    Ok((Home::Server(server.clone(), name.clone()), server.with_database(&name), tools, note))
}

/// Removes what a test restore of this backup left on a named server when it was cut off; a cluster goes by itself.
pub async fn discard(place: &ScratchPlace, backup: &BackupId) -> Result<(), LoadError> {
    match place {
        ScratchPlace::Cluster(..) => Ok(()),
        ScratchPlace::Server(server) => drop_database(server, &name_on_server(backup)).await,
    }
}

/// The name of the scratch database of a backup on a named server.
pub fn name_on_server(backup: &BackupId) -> String {
    format!("guard_scratch_{}", backup.as_str().to_lowercase().replace('-', "_"))
}

async fn drop_database(server: &Connection, name: &str) -> Result<(), LoadError> {
    let mut target = Target::connect(server).await?;
    target.drop_database(name).await?;
    target.close().await;
    Ok(())
}

const CLUSTER_DATABASE: &str = "scratch";
