//! What a directory does when the file system under it is full, read-only, missing, or holds what is not guard's.

use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use guard::store::{FsStore, Key, Store, StoreError};

use crate::promises::read_all;
use crate::support::mount::Mount;

fn key(text: &str) -> Key {
    text.parse().unwrap()
}

/// Every file and directory below a path.
fn tree(root: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in root.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            paths.extend(tree(&path));
        }
        paths.push(path.display().to_string());
    }
    paths
}

#[tokio::test]
async fn a_full_disk_is_said_to_be_full_and_leaves_nothing_visible() {
    let mount = Mount::new("1m");
    let store = FsStore::open(&mount.path()).unwrap();
    store.create(&key("kept"), Bytes::from("kept")).await.unwrap();
    let too_much = Bytes::from(vec![1; 600 << 10]);

    let error = store.create(&key("a/b"), Bytes::from(vec![1; 2 << 20])).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no space left while writing a/b"), "{error}");

    let upload = store.begin(&key("a/c"), 600 << 10).await.unwrap();
    upload.put_part(0, too_much.clone()).await.unwrap();
    let error = upload.put_part(1, too_much.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(upload.commit(2).await.is_err());
    upload.abort().await.unwrap();

    assert_eq!(tree(&mount.path()), [mount.path().join("kept").display().to_string()]);
    store.create(&key("a/c"), too_much).await.unwrap();
    assert_eq!(read_all(&store, &key("kept")).await.unwrap(), b"kept");
}

#[tokio::test]
async fn a_read_only_directory_refuses_every_write_and_can_still_be_read() {
    let mut mount = Mount::new("1m");
    let store = FsStore::open(&mount.path()).unwrap();
    store.create(&key("a/kept"), Bytes::from("kept")).await.unwrap();
    let upload = store.begin(&key("a/late"), 10).await.unwrap();
    upload.put_part(0, Bytes::from("late")).await.unwrap();
    drop(upload);
    mount.make_read_only();

    let store = FsStore::open(&mount.path()).unwrap();
    let refusals = [
        store.create(&key("new"), Bytes::new()).await,
        store.replace(&key("a/kept"), Bytes::new()).await,
        store.begin(&key("a/new"), 10).await.map(drop),
        store.delete(&key("a/kept")).await,
    ];
    for refusal in refusals {
        let error = refusal.unwrap_err();
        assert!(matches!(error, StoreError::Denied { .. }), "{error:?}");
        assert!(error.to_string().contains("Read-only file system"), "{error}");
    }
    assert_eq!(read_all(&store, &key("a/kept")).await.unwrap(), b"kept");
    assert_eq!(store.list(&key("a")).await.unwrap().len(), 1);
}

#[test]
fn a_missing_directory_is_made_only_where_its_parent_is() {
    let dir = tempfile::tempdir().unwrap();
    FsStore::open(&dir.path().join("made")).unwrap();
    assert!(dir.path().join("made").is_dir());
    let error = FsStore::open(&dir.path().join("not/mounted")).unwrap_err();
    assert!(matches!(error, StoreError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("create it or mount its disk"), "{error}");
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let error = FsStore::open(&dir.path().join("file")).unwrap_err();
    assert!(error.to_string().contains("it is not a directory"), "{error}");
}

#[tokio::test]
async fn links_are_neither_followed_nor_listed() {
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = FsStore::open(dir.path()).unwrap();
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), dir.path().join("away")).unwrap();
    symlink(outside.path().join("secret"), dir.path().join("leaf")).unwrap();

    assert!(store.create(&key("away/new"), Bytes::from("x")).await.unwrap_err().is_permanent());
    assert!(store.read(&key("away/secret"), None).await.is_err());
    assert!(store.read(&key("leaf"), None).await.is_err());
    assert!(store.delete(&key("away/secret")).await.is_err());
    assert_eq!(store.list(&key("away")).await.unwrap(), []);
    assert_eq!(store.list_folders(None).await.unwrap(), [""; 0]);
    assert_eq!(store.unfinished_uploads(None).await.unwrap(), []);
    store.replace(&key("leaf"), Bytes::from("x")).await.unwrap();
    assert_eq!(tree(outside.path()).len(), 1);
    assert_eq!(std::fs::read(outside.path().join("secret")).unwrap(), b"secret");
}

#[tokio::test]
async fn what_a_killed_writer_leaves_is_found_and_removed_by_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let upload = FsStore::open(dir.path()).unwrap().begin(&key("app/1/dump"), 10).await.unwrap();
    upload.put_part(0, Bytes::from("half")).await.unwrap();
    // A killed process drops nothing.
    std::mem::forget(upload);

    let store = FsStore::open(dir.path()).unwrap();
    assert_eq!(store.list(&key("app")).await.unwrap(), []);
    assert_eq!(store.list_folders(None).await.unwrap(), [""; 0]);
    let left = store.unfinished_uploads(Some(&key("app"))).await.unwrap();
    assert_eq!(left.iter().map(|upload| upload.key.as_str()).collect::<Vec<_>>(), ["app/1/dump"]);
    store.abort_unfinished(&left[0]).await.unwrap();
    assert_eq!(tree(dir.path()), [""; 0]);
}

#[tokio::test]
async fn an_abort_removes_nothing_but_a_temporary_file() {
    let dir = tempfile::tempdir().unwrap();
    let store = FsStore::open(dir.path()).unwrap();
    store.create(&key("app/dump"), Bytes::from("whole")).await.unwrap();
    let upload = store.begin(&key("app/other"), 10).await.unwrap();
    let mut forged = store.unfinished_uploads(None).await.unwrap().remove(0);
    for handle in ["dump", "../app/dump", "/etc/passwd", ""] {
        forged.handle = handle.to_owned();
        assert!(store.abort_unfinished(&forged).await.unwrap_err().is_permanent(), "{handle}");
    }
    assert_eq!(store.list(&key("app")).await.unwrap().len(), 1);
    upload.abort().await.unwrap();
}

#[tokio::test]
async fn files_that_are_not_guards_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let store = FsStore::open(dir.path()).unwrap();
    store.create(&key("app/1"), Bytes::from("x")).await.unwrap();
    for foreign in ["app/with space", "app/ü", "app/1~short", "app/tilde~"] {
        std::fs::write(dir.path().join(foreign), "x").unwrap();
    }
    std::fs::create_dir_all(dir.path().join("lost+found/deep")).unwrap();
    std::fs::write(dir.path().join("lost+found/deep/inode"), "x").unwrap();
    assert_eq!(store.list(&key("app")).await.unwrap().len(), 1);
    assert_eq!(store.list_folders(None).await.unwrap(), ["app"]);
    assert_eq!(store.unfinished_uploads(None).await.unwrap(), []);
}

#[tokio::test]
async fn an_object_is_for_its_owners_eyes_only() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let store = FsStore::open(dir.path()).unwrap();
    store.create(&key("dump"), Bytes::from("x")).await.unwrap();
    let mode = dir.path().join("dump").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
