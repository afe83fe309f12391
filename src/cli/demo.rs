//! `guard demo`: the whole story on a throw-away PostgreSQL, told as it happens: a shop is backed up, listed, restored and
//! proven; then the same proof is shown failing, after one row was removed from the restored copy.

use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::exit::{CliError, Exit};
use super::output::{self, Answer, Style};
use super::{Session, progress, report, workbench};
use crate::backup::{BackupOrder, backup};
use crate::catalog::{Catalog, CompleteBackup, Evidence, RunNote, SourceName, Verdict};
use crate::contents::loss::Vigilance;
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

async fn tell(args: &DemoArgs, session: &Session) -> Result<Answer, CliError> {
    let style = session.style;
    let tools = ClientTools::newest_with_server().await.ok_or_else(no_server)?;
    let settings = ClusterSettings { dir: None, user: "postgres".to_owned() };

    let began = Instant::now();
    let shop = open_shop(&tools, &settings, args.scale).await?;
    let story = format!("1. A shop in a throw-away PostgreSQL {} ({:.1} s)\n", tools.version(), seconds(began));
    output::say(&story, style);

    let store_dir = tempfile::Builder::new().prefix("guard-demo-").tempdir();
    let store_dir = store_dir.map_err(|error| CliError::unable("demo-failed", error.to_string()))?;
    let catalog = Catalog::open_or_create(Arc::new(FsStore::open(store_dir.path())?), workbench::now()).await?;
    let taken = back_up(&shop, &catalog, session).await?;
    output::say(&format!("\n2. guard backup\n{}", indent(&super::backup::sentence(&taken.manifest))), style);
    output::say(&format!("\n3. guard list\n{}", indent(&super::list::table(std::slice::from_ref(&taken)))), style);

    let place = ScratchPlace::Cluster(settings, ClientSearch::default());
    let told = Told { catalog: &catalog, taken: &taken, place: &place, style };
    let proven = told.prove("demo", None).await?;
    output::say(&format!("\n4. guard restore --to scratch\n{}", indent(&report::text(&proven))), style);

    output::say(
        &format!("\n5. The same proof after somebody ran, in the restored copy:\n   {}\n", ROW_REMOVAL.sql),
        style,
    );
    let damaged = told.prove("demo, with one row removed", Some(ROW_REMOVAL.sql)).await?;
    output::say(&indent(&report::text(&damaged)), style);

    shop.stop().await;
    let as_promised = proven.verdict == Verdict::Proven && damaged.verdict == Verdict::Failed;
    let json = json!({ "backup": super::backup::summary(&taken.manifest), "proven": proven, "damaged": damaged });
    Ok(Answer::new(NEXT, json, if as_promised { Exit::Yes } else { Exit::No }))
}

const NEXT: &str = "
Your own database, in three lines:
   export DATABASE_URL=postgres://user:password@host/database
   guard backup
   guard restore --to scratch
Backups go to ./guard-store; for a bucket set GUARD_STORE_URL=s3://bucket/prefix. See README.md.
";

/// What both proofs of the story share.
struct Told<'a> {
    catalog: &'a Catalog,
    taken: &'a CompleteBackup,
    place: &'a ScratchPlace,
    style: Style,
}

impl Told<'_> {
    async fn prove(&self, started_by: &str, damage: Option<&str>) -> Result<Evidence, CliError> {
        let order = ProofOrder {
            restore: RestoreOrder {
                catalog: self.catalog,
                backup: self.taken,
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
        let shown = progress::show(DATABASE, &progress, self.style);
        let (evidence, scratch) = prove(&order, &progress).await?;
        drop(shown);
        scratch.stop().await;
        keep_evidence(self.catalog, self.taken, &evidence).await?;
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

async fn back_up(shop: &ScratchCluster, catalog: &Catalog, session: &Session) -> Result<CompleteBackup, CliError> {
    let connection = shop.connection(DATABASE).map_err(|error| CliError::unable("demo-failed", error.to_string()))?;
    let name: SourceName = DATABASE.parse()?;
    let source = Source::Postgres(PostgresSource {
        name: name.clone(),
        connection,
        client: ClientSearch::default(),
        selection: Selection::default(),
        lock_wait_timeout: std::time::Duration::from_secs(60),
        max_block: std::time::Duration::from_secs(30),
        globals: true,
    });
    let order = BackupOrder {
        source: &source,
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
    let shown = progress::show(DATABASE, &progress, session.style);
    let manifest = backup(&order, &progress, &session.cancel).await?;
    drop(shown);
    let loaded = catalog.load(&name, &manifest.id).await?;
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
