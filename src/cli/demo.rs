//! `guard demo`: the whole story on a throw-away PostgreSQL and a throw-away Redis, told as it happens: a shop and its cache
//! are backed up, listed, restored and proven; then the same proofs are shown failing, after one row and one field were
//! removed from the restored copies.

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Answer, Style};
use super::{Session, progress, report, workbench};
use crate::backup::{BackupOrder, backup};
use crate::catalog::{Catalog, CompleteBackup, Evidence, RunNote, Verdict};
use crate::contents::loss::Vigilance;
use crate::fixture::cache::FIELD_REMOVAL;
use crate::fixture::{ROW_REMOVAL, shop_sql};
use crate::progress::Progress;
use crate::prove::{ProofOrder, Targets, keep_evidence, prove};
use crate::restore::RestoreOrder;
use crate::source::Source;
use crate::source::postgres::client::{ClientSearch, ClientTools};
use crate::source::postgres::cluster::{ClusterSettings, ScratchCluster};
use crate::source::postgres::load::Target;
use crate::source::postgres::scratch::ScratchPlace;
use crate::source::postgres::{PostgresSource, Selection};
use crate::store::FsStore;
use crate::stream::{Compression, Identities, Recipients};

mod cache;

/// How large the demo's database is.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Size of the shop: 1 is about ten megabytes
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    scale: u32,
}

pub(super) async fn run(args: DemoArgs, session: &Session) -> Result<Answer, CliError> {
    tokio::select! {
        told = tell(&args, session) => told,
        () = session.cancel.cancelled() => Err(CliError {
            exit: Exit::Interrupted,
            ..CliError::unable("interrupted", "interrupted; everything the demo made is removed".to_owned())
        }),
    }
}

const DATABASE: &str = "shop";

/// A source of the story, and what somebody does to a restored copy of it.
struct Part {
    source: Source,
    damage: &'static str,
}

async fn tell(args: &DemoArgs, session: &Session) -> Result<Answer, CliError> {
    let style = session.style;
    let tools = ClientTools::newest_with_server().await.ok_or_else(no_server)?;
    let settings = ClusterSettings { dir: None, user: "postgres".to_owned() };

    let began = Instant::now();
    let shop = open_shop(&tools, &settings, args.scale).await?;
    let mut parts = vec![Part { source: shop_source(&shop)?, damage: ROW_REMOVAL.sql }];
    output::say(
        &format!("1. A shop in a throw-away PostgreSQL {} ({:.1} s)\n", tools.version(), seconds(began)),
        style,
    );
    let began = Instant::now();
    let cache = cache::open(args.scale).await?;
    match &cache {
        Some((server, program)) => {
            parts.push(Part { source: cache::source(server)?, damage: FIELD_REMOVAL });
            output::say(&format!("   Its cache in a throw-away {program} ({:.1} s)\n", seconds(began)), style);
        }
        None => output::say("   (no redis-server is installed: the story is told without a cache)\n", style),
    }

    let store_dir = tempfile::Builder::new().prefix("guard-demo-").tempdir();
    let store_dir = store_dir.map_err(|error| CliError::unable("demo-failed", error.to_string()))?;
    let catalog = Catalog::open_or_create(Arc::new(FsStore::open(store_dir.path())?), workbench::now()).await?;
    let mut taken = Vec::new();
    for part in &parts {
        taken.push(back_up(&part.source, &catalog, session).await?);
    }
    let sentences: String = taken.iter().map(|taken| super::backup::sentence(&taken.manifest)).collect();
    output::say(&format!("\n2. guard backup\n{}", indent(&sentences)), style);
    output::say(&format!("\n3. guard list\n{}", indent(&super::list::table(&taken))), style);

    let place = ScratchPlace::Cluster(settings, ClientSearch::default());
    let told = Told { catalog: &catalog, place: &place, style };
    output::say("\n4. guard restore --to scratch\n", style);
    let mut proven = Vec::new();
    for taken in &taken {
        proven.push(told.prove(taken, "demo", None).await?);
    }
    output::say("\n5. The same proofs after somebody ran, in the restored copies:\n", style);
    for part in &parts {
        output::say(&format!("   {}\n", part.damage), style);
    }
    let mut damaged = Vec::new();
    for (part, taken) in parts.iter().zip(&taken) {
        damaged.push(told.prove(taken, "demo, damaged on purpose", Some(part.damage)).await?);
    }

    shop.stop().await;
    if let Some((server, _)) = cache {
        server.stop().await;
    }
    let are_all = |evidence: &[Evidence], verdict| evidence.iter().all(|evidence| evidence.verdict == verdict);
    let as_promised = are_all(&proven, Verdict::Proven) && are_all(&damaged, Verdict::Failed);
    let backups: Vec<_> = taken.iter().map(|taken| super::backup::summary(&taken.manifest)).collect();
    let json = json!({ "backups": backups, "proven": proven, "damaged": damaged });
    Ok(Answer::new(NEXT, json, if as_promised { Exit::Yes } else { Exit::No }))
}

const NEXT: &str = "
Your own database, in three lines:
   export DATABASE_URL=postgres://user:password@host/database    # and REDIS_URL=redis://…
   guard backup
   guard restore --to scratch
Backups go to ./guard-store; for a bucket set GUARD_STORE_URL=s3://bucket/prefix. See README.md.
";

/// What all proofs of the story share.
struct Told<'a> {
    catalog: &'a Catalog,
    place: &'a ScratchPlace,
    style: Style,
}

impl Told<'_> {
    async fn prove(
        &self,
        taken: &CompleteBackup,
        started_by: &str,
        damage: Option<&str>,
    ) -> Result<Evidence, CliError> {
        let order = ProofOrder {
            restore: RestoreOrder {
                catalog: self.catalog,
                backup: taken,
                identities: &Identities::default(),
                temp_dir: None,
                client: &ClientSearch::default(),
                jobs: std::num::NonZeroU32::MIN.saturating_add(1),
            },
            place: self.place,
            targets: Targets::default(),
            started_by,
            run: &RunNote::new(None),
            damage,
            clock: workbench::now,
        };
        let progress = Arc::new(Progress::default());
        let shown = progress::show(taken.manifest.source.as_str(), &progress, self.style);
        let (evidence, scratch) = prove(&order, &progress).await?;
        drop(shown);
        scratch.stop().await;
        keep_evidence(self.catalog, taken, &evidence).await?;
        output::say(&indent(&report::text(&evidence)), self.style);
        Ok(evidence)
    }
}

async fn open_shop(tools: &ClientTools, settings: &ClusterSettings, scale: u32) -> Result<ScratchCluster, CliError> {
    let failed = |error: &dyn std::fmt::Display| CliError::unable("demo-failed", error.to_string());
    let cluster = ScratchCluster::start(tools, settings)
        .await
        .map_err(|error| CliError { help: error.help(), ..failed(&error) })?;
    let connection = |database| cluster.connection(database).map_err(|error| failed(&error));
    let mut server = Target::connect(&connection("postgres")?).await.map_err(|error| failed(&error))?;
    server.run(format!("CREATE DATABASE {DATABASE}"), "making the shop").await.map_err(|error| failed(&error))?;
    server.close().await;
    let mut shop = Target::connect(&connection(DATABASE)?).await.map_err(|error| failed(&error))?;
    for phase in shop_sql(scale) {
        shop.run(phase, "filling the shop").await.map_err(|error| failed(&error))?;
    }
    shop.close().await;
    Ok(cluster)
}

fn shop_source(shop: &ScratchCluster) -> Result<Source, CliError> {
    let connection = shop.connection(DATABASE).map_err(|error| CliError::unable("demo-failed", error.to_string()))?;
    Ok(Source::Postgres(PostgresSource {
        name: DATABASE.parse()?,
        connection,
        client: ClientSearch::default(),
        selection: Selection::default(),
        lock_wait_timeout: std::time::Duration::from_secs(60),
        max_block: std::time::Duration::from_secs(30),
        globals: true,
    }))
}

async fn back_up(source: &Source, catalog: &Catalog, session: &Session) -> Result<CompleteBackup, CliError> {
    let order = BackupOrder {
        source,
        catalog,
        compression: Compression::default(),
        recipients: &Recipients::default(),
        environment: Some("demo".to_owned()),
        run: &RunNote::new(None),
        vigilance: &Vigilance::default(),
        source_lock: None,
        clock: workbench::now,
    };
    let progress = Arc::new(Progress::default());
    let shown = progress::show(source.name().as_str(), &progress, session.style);
    let manifest = backup(&order, &progress, &session.cancel).await?;
    drop(shown);
    let loaded = catalog.load(source.name(), &manifest.id).await?;
    loaded.ok_or_else(|| CliError::unable("demo-failed", "the backup that was just taken is not listed".to_owned()))
}

fn no_server() -> CliError {
    CliError::unable("no-server", "no PostgreSQL server programs are installed".to_owned())
        .with_help("install postgresql (Debian: apt install postgresql)")
}

fn seconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64()
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect()
}
