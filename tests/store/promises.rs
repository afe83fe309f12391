//! What every store promises, a function per promise. A known deviation of a server is a field of [`Quirks`], and the
//! promise then asserts the deviation: one that is mended is noticed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::{BoxFuture, join_all};
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use guard::store::{Key, Store, StoreError, Upload};

/// A store under test, and a path of its own for one promise.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) quirks: Quirks,
    pub(crate) path: Key,
}

/// What is known to be wrong with a server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Quirks {
    /// Unfinished uploads cannot be listed: the server answers 501.
    pub(crate) cannot_list_uploads: bool,
    /// Two concurrent conditional puts may both win; one does at least, and what it wrote is whole.
    pub(crate) creates_race: bool,
    /// Who loses a race of swaps may be told 500 instead of why; the next attempt tells.
    pub(crate) confuses_losers: bool,
    /// A put into a bucket that does not exist makes it.
    pub(crate) makes_buckets: bool,
}

type Promise = fn(Subject) -> BoxFuture<'static, ()>;

macro_rules! promises {
    ($($name:ident),* $(,)?) => { &[$((stringify!($name), (|subject| $name(subject).boxed()) as Promise)),*] };
}

const PROMISES: &[(&str, Promise)] = promises![
    what_was_created_reads_back_and_is_listed,
    an_empty_object_is_an_object,
    create_on_a_taken_key_is_refused_and_changes_nothing,
    replace_writes_and_overwrites,
    a_reader_of_a_replaced_object_sees_one_version_whole,
    what_is_absent_is_said_to_be_absent,
    racing_creates_have_one_winner,
    what_is_fetched_has_a_tag_of_its_version,
    a_swap_replaces_only_the_version_that_was_fetched,
    racing_swaps_have_one_winner,
    parts_put_in_any_order_make_one_object,
    a_part_put_again_replaces_the_earlier_one,
    a_single_part_makes_an_object,
    no_part_makes_an_empty_object,
    nothing_is_visible_before_the_commit,
    committing_twice_is_committing_once,
    committing_on_a_taken_key_is_refused_and_changes_nothing,
    an_upload_with_a_missing_or_short_part_is_not_committed,
    an_aborted_upload_leaves_nothing_and_stays_aborted,
    a_dropped_upload_leaves_at_most_an_unfinished_one,
    an_unfinished_upload_is_listed_and_can_be_ended_by_another,
    a_prefix_is_a_whole_path,
    folders_are_the_names_one_level_down,
    more_than_a_thousand_objects_are_listed,
    a_range_is_exactly_its_bytes,
    deletes_and_creates_in_one_place_do_not_disturb_each_other,
    the_clock_is_about_right,
];

/// Checks every promise and reports all that are broken, by name.
pub(crate) async fn check_all(store: Arc<dyn Store>, quirks: Quirks) {
    let mut broken = Vec::new();
    for (name, promise) in PROMISES {
        let path = name.parse().expect("a function's name is a key");
        let subject = Subject { store: Arc::clone(&store), quirks, path };
        if tokio::spawn(promise(subject)).await.is_err() {
            broken.push(*name);
        }
    }
    assert!(broken.is_empty(), "{} breaks these promises: {broken:#?}", store.location());
}

impl Subject {
    fn key(&self, name: &str) -> Key {
        self.path.child(name).expect("a valid key")
    }

    fn part_size(&self) -> usize {
        self.store.limits().min_part_size.max(1 << 16)
    }

    async fn create(&self, key: &Key, body: &'static str) {
        self.store.create(key, Bytes::from(body)).await.expect("created");
    }

    async fn content(&self, key: &Key) -> Vec<u8> {
        read_all(&*self.store, key).await.expect("readable")
    }

    async fn begin(&self, key: &Key) -> Box<dyn Upload> {
        self.store.begin(key, self.part_size()).await.expect("begun")
    }

    fn part(&self, fill: u8) -> Bytes {
        Bytes::from(vec![fill; self.part_size()])
    }

    async fn keys_below(&self, prefix: &Key) -> Vec<String> {
        let listed = self.store.list(prefix).await.expect("listed");
        listed.iter().map(|object| object.key.to_string()).collect()
    }

    /// The unfinished uploads below this promise's path, or `None` where the server cannot say.
    async fn unfinished(&self) -> Option<Vec<guard::store::UnfinishedUpload>> {
        let listed = self.store.unfinished_uploads(Some(&self.path)).await;
        if self.quirks.cannot_list_uploads {
            let error = listed.expect_err("this server cannot list uploads");
            assert!(error.is_permanent() && error.to_string().contains("501"), "{error}");
            return None;
        }
        Some(listed.expect("unfinished uploads are listed"))
    }
}

/// A whole object.
pub(crate) async fn read_all(store: &dyn Store, key: &Key) -> Result<Vec<u8>, StoreError> {
    let chunks: Vec<Bytes> = store.read(key, None).await?.try_collect().await?;
    Ok(chunks.concat())
}

async fn what_was_created_reads_back_and_is_listed(it: Subject) {
    let key = it.key("a/b.json");
    it.create(&key, "hello").await;
    assert_eq!(it.content(&key).await, b"hello");
    let found = it.store.stat(&key).await.unwrap().expect("it is there");
    assert_eq!((&found.key, found.size), (&key, 5));
    let age = it.store.clock().await.unwrap() - found.modified;
    assert!(age.abs().num_seconds() < 60, "{age}");
    let listed = it.store.list(&it.path).await.unwrap();
    assert_eq!((listed.len(), &listed[0].key, listed[0].size), (1, &key, 5));
}

async fn an_empty_object_is_an_object(it: Subject) {
    let key = it.key("empty");
    it.create(&key, "").await;
    assert_eq!(it.content(&key).await, b"");
    assert_eq!(it.store.stat(&key).await.unwrap().expect("it is there").size, 0);
}

async fn create_on_a_taken_key_is_refused_and_changes_nothing(it: Subject) {
    let key = it.key("taken");
    it.create(&key, "first").await;
    let error = it.store.create(&key, Bytes::from("second")).await.unwrap_err();
    assert!(matches!(&error, StoreError::Exists { key: taken, .. } if *taken == key), "{error}");
    assert_eq!(it.content(&key).await, b"first");
}

async fn replace_writes_and_overwrites(it: Subject) {
    let key = it.key("lease");
    for body in ["one", "another", ""] {
        it.store.replace(&key, Bytes::from(body)).await.unwrap();
        assert_eq!(it.content(&key).await, body.as_bytes());
    }
}

async fn a_reader_of_a_replaced_object_sees_one_version_whole(it: Subject) {
    const LEN: usize = 300_000;
    let key = it.key("lease");
    let write = async |fill: u8| it.store.replace(&key, Bytes::from(vec![fill; LEN])).await.unwrap();
    write(0).await;
    let writing = async {
        for fill in 1..20 {
            write(fill).await;
        }
    };
    let reading = async {
        for _ in 0..20 {
            // A download that must be resumed on another version is refused, which is as good.
            if let Ok(content) = read_all(&*it.store, &key).await {
                assert!(content.len() == LEN && content.iter().all(|byte| *byte == content[0]), "a mixture was read");
            }
        }
    };
    futures_util::join!(writing, reading);
}

async fn what_is_absent_is_said_to_be_absent(it: Subject) {
    let key = it.key("nowhere/at/all");
    assert_eq!(it.store.stat(&key).await.unwrap(), None);
    let Err(error) = it.store.read(&key, None).await else { panic!("read what is not there") };
    assert!(matches!(&error, StoreError::NotFound { key: absent, .. } if *absent == key), "{error}");
    let Err(error) = it.store.read(&key, Some(3..3)).await else { panic!("read nothing of what is not there") };
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    it.store.delete(&key).await.unwrap();
    assert_eq!(it.store.list(&key).await.unwrap(), []);
    assert_eq!(it.store.list_folders(Some(&key)).await.unwrap(), [""; 0]);
}

async fn racing_creates_have_one_winner(it: Subject) {
    for round in 0..50 {
        let key = it.key(&format!("slot-{round}"));
        let attempts = (0..4).map(|racer| it.store.create(&key, Bytes::from(format!("racer {racer}"))));
        let outcomes = join_all(attempts).await;
        let winners: Vec<_> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()).collect();
        let is_fair = if it.quirks.creates_race { !winners.is_empty() } else { winners.len() == 1 };
        assert!(is_fair, "round {round}: {outcomes:?}");
        let content = String::from_utf8(it.content(&key).await).expect("text");
        assert!(winners.iter().any(|(racer, _)| content == format!("racer {racer}")), "round {round}: {content}");
        let losers = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(losers.into_iter().all(|error| matches!(error, StoreError::Exists { .. })), "{outcomes:?}");
    }
}

async fn what_is_fetched_has_a_tag_of_its_version(it: Subject) {
    let key = it.key("lease");
    assert_eq!(it.store.fetch(&key).await.unwrap(), None);
    it.create(&key, "one").await;
    let one = it.store.fetch(&key).await.unwrap().expect("it is there");
    assert_eq!((&one.body[..], it.store.fetch(&key).await.unwrap().as_ref()), (&b"one"[..], Some(&one)));
    it.store.replace(&key, Bytes::from("two")).await.unwrap();
    let two = it.store.fetch(&key).await.unwrap().expect("it is there");
    assert_eq!(&two.body[..], b"two");
    assert_ne!(one.tag, two.tag);
}

async fn a_swap_replaces_only_the_version_that_was_fetched(it: Subject) {
    let key = it.key("lease");
    it.create(&key, "one").await;
    let one = it.store.fetch(&key).await.unwrap().expect("it is there").tag;
    let two = it.store.swap(&key, &one, Bytes::from("two")).await.unwrap();
    assert_eq!(it.store.fetch(&key).await.unwrap().expect("it is there").tag, two);
    let late = it.store.swap(&key, &one, Bytes::from("late")).await;
    assert!(matches!(&late, Err(StoreError::Changed { key: changed, .. }) if *changed == key), "{late:?}");
    assert_eq!(it.content(&key).await, b"two");
    it.store.delete(&key).await.unwrap();
    let gone = it.store.swap(&key, &two, Bytes::from("late")).await;
    assert!(matches!(gone, Err(StoreError::Changed { .. })), "{gone:?}");
    assert_eq!(it.store.stat(&key).await.unwrap(), None);
    assert_eq!(it.keys_below(&it.path).await, [""; 0]);
}

async fn racing_swaps_have_one_winner(it: Subject) {
    let key = it.key("lease");
    it.create(&key, "free").await;
    for round in 0..50 {
        let tag = it.store.fetch(&key).await.unwrap().expect("it is there").tag;
        let bodies = (0..4).map(|racer| Bytes::from(format!("racer {racer} of round {round}")));
        let outcomes = join_all(bodies.map(|body| it.store.swap(&key, &tag, body))).await;
        let winners: Vec<_> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()).collect();
        assert!(
            if it.quirks.creates_race { !winners.is_empty() } else { winners.len() == 1 },
            "round {round}: {outcomes:?}"
        );
        let content = String::from_utf8(it.content(&key).await).expect("text");
        let told = |(racer, _): &(usize, _)| content == format!("racer {racer} of round {round}");
        assert!(winners.iter().any(told), "round {round}: {content}");
        let is_told = |error: &StoreError| match error {
            StoreError::Changed { .. } => true,
            error => it.quirks.confuses_losers && !error.is_permanent(),
        };
        assert!(outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).all(is_told), "{outcomes:?}");
    }
}

async fn parts_put_in_any_order_make_one_object(it: Subject) {
    let key = it.key("object");
    let upload = it.begin(&key).await;
    let tail = Bytes::from("the tail");
    let (second, tail_first) = (upload.put_part(1, it.part(2)), upload.put_part(3, tail.clone()));
    let outcomes = futures_util::join!(tail_first, second);
    outcomes.0.and(outcomes.1).unwrap();
    let outcomes = futures_util::join!(upload.put_part(2, it.part(3)), upload.put_part(0, it.part(1)));
    outcomes.0.and(outcomes.1).unwrap();
    upload.commit(4).await.unwrap();
    let expected = [it.part(1), it.part(2), it.part(3), tail].concat();
    assert!(it.content(&key).await == expected, "the object differs from its parts");
    assert_eq!(it.store.stat(&key).await.unwrap().expect("committed").size, expected.len() as u64);
}

async fn a_part_put_again_replaces_the_earlier_one(it: Subject) {
    let key = it.key("object");
    let upload = it.begin(&key).await;
    for (part_idx, body) in [(0, it.part(9)), (0, it.part(1)), (1, it.part(9)), (1, Bytes::from("end"))] {
        upload.put_part(part_idx, body).await.unwrap();
    }
    upload.put_part(0, it.part(2)).await.unwrap();
    upload.commit(2).await.unwrap();
    assert!(it.content(&key).await == [it.part(2), Bytes::from("end")].concat());
}

async fn a_single_part_makes_an_object(it: Subject) {
    for (name, body) in [("short", Bytes::from("short")), ("full", it.part(7)), ("empty", Bytes::new())] {
        let key = it.key(name);
        let upload = it.begin(&key).await;
        upload.put_part(0, body.clone()).await.unwrap();
        upload.commit(1).await.unwrap();
        assert!(it.content(&key).await == body, "{name}");
    }
}

async fn no_part_makes_an_empty_object(it: Subject) {
    let key = it.key("nothing");
    it.begin(&key).await.commit(0).await.unwrap();
    assert_eq!(it.content(&key).await, b"");
}

async fn nothing_is_visible_before_the_commit(it: Subject) {
    let key = it.key("slow");
    let upload = it.begin(&key).await;
    for part_idx in 0..2 {
        upload.put_part(part_idx, it.part(1)).await.unwrap();
        assert_eq!(it.store.stat(&key).await.unwrap(), None);
        assert!(it.store.read(&key, None).await.is_err());
        assert_eq!(it.store.list(&it.path).await.unwrap(), []);
        assert!(!it.store.list_folders(None).await.unwrap().contains(&it.path.to_string()));
    }
    upload.commit(2).await.unwrap();
    assert_eq!(it.keys_below(&it.path).await, [key.to_string()]);
}

async fn committing_twice_is_committing_once(it: Subject) {
    for n_parts in 0..=2 {
        let key = it.key(&format!("of-{n_parts}"));
        let upload = it.begin(&key).await;
        for part_idx in 0..n_parts {
            upload.put_part(part_idx, it.part(1)).await.unwrap();
        }
        upload.commit(n_parts).await.unwrap();
        upload.commit(n_parts).await.unwrap();
        upload.abort().await.unwrap();
        assert_eq!(it.content(&key).await.len(), it.part_size() * n_parts as usize);
    }
}

async fn committing_on_a_taken_key_is_refused_and_changes_nothing(it: Subject) {
    for n_parts in 0..=2 {
        let key = it.key(&format!("of-{n_parts}"));
        let upload = it.begin(&key).await;
        for part_idx in 0..n_parts {
            upload.put_part(part_idx, it.part(1)).await.unwrap();
        }
        it.create(&key, "first").await;
        let error = upload.commit(n_parts).await.unwrap_err();
        assert!(matches!(error, StoreError::Exists { .. }), "{error}");
        upload.abort().await.unwrap();
        assert_eq!(it.content(&key).await, b"first");
    }
}

async fn an_upload_with_a_missing_or_short_part_is_not_committed(it: Subject) {
    let key = it.key("holes");
    let upload = it.begin(&key).await;
    upload.put_part(0, it.part(1)).await.unwrap();
    upload.put_part(2, it.part(3)).await.unwrap();
    let error = upload.commit(3).await.unwrap_err().to_string();
    assert!(error.contains("part 1 of 3 was never put"), "{error}");
    upload.put_part(1, Bytes::from("short")).await.unwrap();
    let error = upload.commit(3).await.unwrap_err().to_string();
    assert!(error.contains("part 1 of 3 has 5 bytes"), "{error}");
    let too_long = Bytes::from(vec![0; it.part_size() + 1]);
    assert!(upload.put_part(1, too_long).await.unwrap_err().is_permanent());
    assert_eq!(it.store.stat(&key).await.unwrap(), None);
    upload.abort().await.unwrap();
}

async fn an_aborted_upload_leaves_nothing_and_stays_aborted(it: Subject) {
    for n_parts in 0..=2 {
        let upload = it.begin(&it.key("gone")).await;
        for part_idx in 0..n_parts {
            upload.put_part(part_idx, it.part(1)).await.unwrap();
        }
        upload.abort().await.unwrap();
        upload.abort().await.unwrap();
        let error = upload.put_part(0, it.part(1)).await.unwrap_err();
        assert!(error.is_permanent(), "{error}");
        let error = upload.commit(n_parts).await.unwrap_err();
        assert!(error.to_string().contains("aborted"), "{error}");
    }
    assert!(it.unfinished().await.is_none_or(|uploads| uploads.is_empty()));
    assert_eq!(it.store.list(&it.path).await.unwrap(), []);
}

async fn a_dropped_upload_leaves_at_most_an_unfinished_one(it: Subject) {
    let key = it.key("dropped");
    let upload = it.begin(&key).await;
    upload.put_part(0, it.part(1)).await.unwrap();
    // A put given up half way, then the upload itself.
    let put = upload.put_part(1, it.part(2));
    let _ = tokio::time::timeout(Duration::from_millis(3), put).await;
    drop(upload);
    assert_eq!(it.store.stat(&key).await.unwrap(), None);
    assert_eq!(it.store.list(&it.path).await.unwrap(), []);
    for left in it.unfinished().await.unwrap_or_default() {
        assert_eq!(left.key, key);
        it.store.abort_unfinished(&left).await.unwrap();
    }
    assert!(it.unfinished().await.is_none_or(|uploads| uploads.is_empty()));
}

async fn an_unfinished_upload_is_listed_and_can_be_ended_by_another(it: Subject) {
    let key = it.key("deep/er/unfinished");
    let upload = it.begin(&key).await;
    upload.put_part(0, it.part(1)).await.unwrap();
    upload.put_part(1, it.part(2)).await.unwrap();
    let Some(listed) = it.unfinished().await else { return upload.abort().await.unwrap() };
    assert_eq!(listed.iter().map(|left| &left.key).collect::<Vec<_>>(), [&key]);
    let age = it.store.clock().await.unwrap() - listed[0].begun;
    assert!(age.abs().num_seconds() < 60, "{age}");
    let everywhere = it.store.unfinished_uploads(None).await.unwrap();
    assert!(everywhere.contains(&listed[0]), "{everywhere:?}");
    assert_eq!(it.store.unfinished_uploads(Some(&it.key("dee"))).await.unwrap(), [], "a prefix is a whole path");
    it.store.abort_unfinished(&listed[0]).await.unwrap();
    it.store.abort_unfinished(&listed[0]).await.unwrap();
    assert_eq!(it.unfinished().await, Some(vec![]));
    let error = upload.commit(2).await.unwrap_err();
    assert!(error.is_permanent(), "{error}");
    assert_eq!(it.store.stat(&key).await.unwrap(), None);
    upload.abort().await.unwrap();
}

async fn a_prefix_is_a_whole_path(it: Subject) {
    for name in ["app/1", "app/1x/y", "app_old/1", "app.json", "ap"] {
        it.create(&it.key(name), "x").await;
    }
    let expected = [it.key("app/1"), it.key("app/1x/y")].map(|key| key.to_string());
    assert_eq!(it.keys_below(&it.key("app")).await, expected);
    assert_eq!(it.keys_below(&it.key("app/1")).await, [""; 0]);
    it.store.delete(&it.key("app/1")).await.unwrap();
    assert_eq!(it.keys_below(&it.path).await.len(), 4);
}

async fn folders_are_the_names_one_level_down(it: Subject) {
    for name in ["b/x/1", "b/y", "a/1", "file", "a.b/2"] {
        it.create(&it.key(name), "x").await;
    }
    assert_eq!(it.store.list_folders(Some(&it.path)).await.unwrap(), ["a", "a.b", "b"]);
    assert_eq!(it.store.list_folders(Some(&it.key("b"))).await.unwrap(), ["x"]);
    assert!(it.store.list_folders(None).await.unwrap().contains(&it.path.to_string()));
    it.store.delete(&it.key("b/x/1")).await.unwrap();
    assert_eq!(it.store.list_folders(Some(&it.key("b"))).await.unwrap(), [""; 0]);
}

async fn more_than_a_thousand_objects_are_listed(it: Subject) {
    const N_OBJECTS: usize = 1_005;
    let create = |n| {
        let it = it.clone();
        async move { it.create(&it.key(&format!("{}/{n:04}", n % 3)), "x").await }
    };
    stream::iter((0..N_OBJECTS).rev()).map(create).buffer_unordered(32).collect::<Vec<_>>().await;
    let listed = it.keys_below(&it.path).await;
    assert_eq!(listed.len(), N_OBJECTS);
    assert!(listed.is_sorted());
}

async fn a_range_is_exactly_its_bytes(it: Subject) {
    let key = it.key("digits");
    it.create(&key, "0123456789").await;
    let read = async |range: std::ops::Range<u64>| {
        let chunks: Vec<Bytes> = it.store.read(&key, Some(range)).await?.try_collect().await?;
        Ok::<_, StoreError>(String::from_utf8(chunks.concat()).expect("digits"))
    };
    for (range, expected) in
        [(0..10, "0123456789"), (0..1, "0"), (3..7, "3456"), (9..10, "9"), (4..4, ""), (10..10, "")]
    {
        assert_eq!(read(range.clone()).await.unwrap(), expected, "{range:?}");
    }
    for range in [5..11, 10..12, 12..12] {
        let error = read(range.clone()).await.unwrap_err();
        assert!(matches!(error, StoreError::Permanent { .. }), "{range:?}: {error}");
    }
}

async fn deletes_and_creates_in_one_place_do_not_disturb_each_other(it: Subject) {
    let tasks = (0..8).map(|task| {
        let it = it.clone();
        tokio::spawn(async move {
            for round in 0..20 {
                let key = it.key(&format!("dir/{}/{task}", round % 2));
                it.create(&key, "x").await;
                it.store.delete(&key).await.unwrap();
            }
        })
    });
    for outcome in join_all(tasks).await {
        outcome.unwrap();
    }
    assert_eq!(it.store.list(&it.path).await.unwrap(), []);
}

async fn the_clock_is_about_right(it: Subject) {
    let off = it.store.clock().await.unwrap() - chrono::Utc::now();
    assert!(off.abs().num_seconds() < 60, "{off}");
}
