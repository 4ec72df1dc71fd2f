//! What waits for a database's server that is away, in files on this host: more than memory would hold, and there when the process is gone,
//! however that ended. Each file takes some megabytes, and goes once all in it is told. Knows no SQL.

mod frame;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use frame::{Decoded, Frame};

use super::{continuity::Gap, recorder::Recording};

/// A file that is longer gets no more.
const FILE_BYTES: u64 = 16 << 20;
/// All files together take so much at most.
const MAX_BYTES: u64 = 1 << 30;

/// The files; cheap to clone. Without a place for any it takes nothing.
#[derive(Clone, Default)]
pub struct Spool(Option<Arc<Shared>>);

struct Shared {
    /// What the name of each file begins with.
    base: PathBuf,
    database: String,
    files: Mutex<Files>,
}

#[derive(Default)]
struct Files {
    by_number: BTreeMap<u64, Waiting>,
    /// The one that is written.
    current: Option<u64>,
    next: u64,
    /// Of files that an earlier process left.
    left_bytes: u64,
    /// It was said that nothing can be written.
    failed: bool,
}

/// A file of this process.
struct Waiting {
    path: PathBuf,
    file: Arc<File>,
    end: u64,
    /// So much of it is not told yet.
    places: usize,
    names: Vec<Arc<[Arc<str>]>>,
    /// Their places, by where they are in memory: as long as this holds them, nothing else is there.
    by_address: HashMap<usize, u32>,
    is_synced: bool,
}

/// Where something waits.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    offset: u64,
    length: usize,
}

/// What waits.
pub(super) enum Spooled {
    Poll(Recording),
    Gap(i64, Gap),
}

impl Spool {
    /// The files whose names begin with `base`, for one database; and those of them that an earlier process left, oldest first.
    pub(crate) fn open(base: &Path, database: &str) -> (Self, Vec<PathBuf>) {
        let mut left = left(base);
        left.sort_unstable();
        let next = left.last().map_or(0, |(number, _)| number + 1);
        let left_bytes = left.iter().filter_map(|(_, path)| Some(fs::metadata(path).ok()?.len())).sum();
        let files = Mutex::new(Files { next, left_bytes, ..Files::default() });
        let shared = Shared { base: base.to_owned(), database: database.to_owned(), files };
        (Self(Some(Arc::new(shared))), left.into_iter().map(|(_, path)| path).collect())
    }

    /// Puts a poll into a file; none where that cannot be: there is no room, or the disk fails.
    pub(super) fn put(&self, recording: &Recording) -> Option<Place> {
        let shared = self.0.as_deref()?;
        shared.put(|file| {
            let names = file.names_of(&recording.names)?;
            file.append(&Frame::poll(recording, names))
        })
    }

    /// Puts a span without values into a file.
    pub(super) fn put_gap(&self, box_id: i64, gap: &Gap) -> Option<Place> {
        self.0.as_deref()?.put(|file| file.append(&Frame::gap(box_id, gap)))
    }

    /// What waits at a place; none where it cannot be read any more.
    pub(super) fn get(&self, place: &Place) -> Option<Spooled> {
        let shared = self.0.as_deref()?;
        let (file, path) = {
            let files = shared.lock();
            let waiting = files.by_number.get(&place.number)?;
            (Arc::clone(&waiting.file), waiting.path.clone())
        };
        let mut bytes = vec![0; place.length];
        if let Err(error) = file.read_exact_at(&mut bytes, place.offset) {
            tracing::error!(path = %path.display(), %error, "what waited for the database cannot be read");
            return None;
        }
        match frame::decode(&mut &*bytes)? {
            Decoded::Frame(Frame::Poll(poll)) => {
                let names = Arc::clone(shared.lock().by_number.get(&place.number)?.names.get(usize::try_from(poll.names).ok()?)?);
                poll.into_recording(&names).map(Spooled::Poll)
            }
            Decoded::Frame(Frame::Gap(hole)) => {
                let (box_id, gap) = hole.into_gap();
                Some(Spooled::Gap(box_id, gap))
            }
            Decoded::Frame(_) | Decoded::Damaged => None,
        }
    }

    /// What waited at a place is told.
    pub(super) fn settle(&self, place: &Place) {
        let Some(shared) = self.0.as_deref() else { return };
        let mut files = shared.lock();
        let Some(waiting) = files.by_number.get_mut(&place.number) else { return };
        waiting.places -= 1;
        if waiting.places == 0 {
            files.remove(place.number);
        }
    }

    /// Has the disk itself keep what waits. Blocks as long as that takes.
    pub(super) fn sync(&self) {
        let Some(shared) = self.0.as_deref() else { return };
        let unsynced: Vec<Arc<File>> = {
            let mut files = shared.lock();
            let unsynced = files.by_number.values_mut().filter(|file| !file.is_synced);
            unsynced
                .map(|file| {
                    file.is_synced = true;
                    Arc::clone(&file.file)
                })
                .collect()
        };
        for file in unsynced {
            if let Err(error) = file.sync_data() {
                tracing::error!(%error, "what waits for the database could not be written to the disk itself");
            }
        }
    }

    /// What a file that an earlier process left has, in the order in which it was put there.
    ///
    /// # Errors
    /// When it cannot be read, or is for another database.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<Spooled>> {
        let Some(shared) = self.0.as_deref() else { return Ok(Vec::new()) };
        read(path, &shared.database)
    }

    /// All that a file had is told.
    pub(super) fn remove(&self, path: &Path) {
        let Some(shared) = self.0.as_deref() else { return };
        let bytes = fs::metadata(path).map_or(0, |found| found.len());
        remove(path);
        let mut files = shared.lock();
        files.left_bytes = files.left_bytes.saturating_sub(bytes);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, append: impl FnOnce(&mut Waiting) -> io::Result<(u64, usize)>) -> Option<Place> {
        let mut files = self.lock();
        let outcome = self.current(&mut files).and_then(|(number, file)| {
            let (offset, length) = append(file)?;
            file.places += 1;
            file.is_synced = false;
            Ok(Place { number, offset, length })
        });
        match outcome {
            Ok(place) => {
                files.failed = false;
                Some(place)
            }
            Err(error) => {
                // What was begun stays in the file, and its check sum tells; it gets no more.
                files.leave_current();
                if !std::mem::replace(&mut files.failed, true) {
                    let base = self.base.display();
                    tracing::error!(%base, %error, "what waits for the database cannot be put into a file: it waits in memory");
                }
                None
            }
        }
    }

    /// The file that is written, which may have to be made.
    fn current<'a>(&self, files: &'a mut Files) -> io::Result<(u64, &'a mut Waiting)> {
        let is_full = |file: &Waiting| file.end >= FILE_BYTES;
        if files.current.is_some_and(|number| files.by_number.get(&number).is_none_or(is_full)) {
            files.leave_current();
        }
        let number = match files.current {
            Some(number) => number,
            None => {
                let bytes: u64 = files.by_number.values().map(|file| file.end).sum();
                if bytes + files.left_bytes >= MAX_BYTES {
                    return Err(io::Error::new(io::ErrorKind::QuotaExceeded, format!("{} MiB wait already", MAX_BYTES >> 20)));
                }
                let number = files.next;
                files.next += 1;
                files.by_number.insert(number, Waiting::create(self.path(number), &self.database)?);
                files.current = Some(number);
                number
            }
        };
        files.by_number.get_mut(&number).map(|file| (number, file)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn path(&self, number: u64) -> PathBuf {
        let mut name = prefix(&self.base);
        name.push(number.to_string());
        name.into()
    }
}

impl Files {
    /// The current file gets no more.
    fn leave_current(&mut self) {
        if let Some(number) = self.current.take()
            && self.by_number.get(&number).is_some_and(|file| file.places == 0)
        {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) {
        if self.current == Some(number) {
            self.current = None;
        }
        if let Some(file) = self.by_number.remove(&number) {
            remove(&file.path);
        }
    }
}

impl Waiting {
    fn create(path: PathBuf, database: &str) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let (names, by_address) = (Vec::new(), HashMap::new());
        let mut waiting = Self { path, file: Arc::new(file), end: 0, places: 0, names, by_address, is_synced: false };
        if let Err(error) = waiting.append(&Frame::begin(database)) {
            remove(&waiting.path);
            return Err(error);
        }
        Ok(waiting)
    }

    /// The place of these names in this file, which may have to be written first.
    fn names_of(&mut self, names: &Arc<[Arc<str>]>) -> io::Result<u32> {
        let address = Arc::as_ptr(names).addr();
        if let Some(&place) = self.by_address.get(&address) {
            return Ok(place);
        }
        let place = u32::try_from(self.names.len()).map_err(io::Error::other)?;
        self.append(&Frame::names(place, names))?;
        self.names.push(Arc::clone(names));
        self.by_address.insert(address, place);
        Ok(place)
    }

    fn append(&mut self, frame: &Frame) -> io::Result<(u64, usize)> {
        let bytes = frame.encode().ok_or_else(|| io::Error::other("it is too large"))?;
        self.file.write_all_at(&bytes, self.end)?;
        let offset = self.end;
        self.end += bytes.len() as u64;
        Ok((offset, bytes.len()))
    }
}

fn prefix(base: &Path) -> OsString {
    let mut prefix = base.as_os_str().to_owned();
    prefix.push(".spool-");
    prefix
}

/// The files of a name that are there, by number.
fn left(base: &Path) -> Vec<(u64, PathBuf)> {
    let prefix = prefix(base);
    let folder = base.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let number = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let number = name.strip_prefix(Path::new(&prefix).file_name()?.to_str()?)?.parse().ok()?;
        Some((number, path))
    };
    entries.filter_map(|entry| number(entry.ok()?.path())).collect()
}

fn read(path: &Path, database: &str) -> io::Result<Vec<Spooled>> {
    let bytes = fs::read(path)?;
    let mut rest = &*bytes;
    match frame::decode(&mut rest) {
        Some(Decoded::Frame(begin)) if begin.is_begin_of(database) => {}
        // Ended before anything was in it.
        None => return Ok(Vec::new()),
        Some(_) => return Err(io::Error::other("it is for another database, or of another version")),
    }
    let (mut names, mut all, mut damaged): (HashMap<u32, Arc<[Arc<str>]>>, _, _) = (HashMap::new(), Vec::new(), 0);
    while let Some(decoded) = frame::decode(&mut rest) {
        let one = match decoded {
            Decoded::Frame(Frame::Names(place, of)) => {
                names.insert(place, of.into_iter().map(Into::into).collect());
                continue;
            }
            Decoded::Frame(Frame::Poll(poll)) => names.get(&poll.names).and_then(|names| poll.into_recording(names)).map(Spooled::Poll),
            Decoded::Frame(Frame::Gap(hole)) => {
                let (box_id, gap) = hole.into_gap();
                Some(Spooled::Gap(box_id, gap))
            }
            Decoded::Frame(Frame::Begin(..)) | Decoded::Damaged => None,
        };
        match one {
            Some(one) => all.push(one),
            None => damaged += 1,
        }
    }
    if damaged > 0 {
        tracing::error!(path = %path.display(), damaged, "some of what waited for the database is damaged, and lost");
    }
    if !rest.is_empty() {
        // As a process that was killed leaves it.
        tracing::warn!(path = %path.display(), bytes = rest.len(), "the last of what waited for the database is cut off");
    }
    Ok(all)
}

fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::error!(path = %path.display(), %error, "a file of what waited for the database cannot be removed");
    }
}

#[cfg(test)]
mod tests;
