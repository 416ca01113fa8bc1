//! The disk against a model that keeps everything that was ever done and works out every image anew.

use super::{Crash, CrashMode, Disk, DiskQuality, Honesty, Kept, Sync, Unsynced, Verdict};
use crate::chance::Chance;
use crate::latency::multiply_high;
use crate::queue::Key;
use crate::{FileId, ProcessId, Span, Stream, VirtualTime};

const FILES: usize = 2;
const P: ProcessId = ProcessId(3);

#[derive(Clone, Debug)]
struct Done {
    number: u64,
    file: usize,
    is_append: bool,
    bytes: Vec<u8>,
    /// Where it lands instead.
    landed: Option<usize>,
    claimed: bool,
    gone: bool,
    /// When it became durable.
    durable: Option<u64>,
}

/// Damage, in the order in which it came about.
#[derive(Clone, Debug)]
struct Harm {
    when: u64,
    number: u64,
    file: usize,
    /// The number of the replacement that the bytes belonged to.
    of: u64,
    offset: usize,
    bytes: Vec<u8>,
    /// Whether bits are turned over, or bytes put in the place of others.
    turns: bool,
}

impl Harm {
    fn show(&self, file: &mut [u8]) {
        for (place, byte) in file.iter_mut().skip(self.offset).zip(&self.bytes) {
            *place = if self.turns { *place ^ *byte } else { *byte };
        }
    }
}

#[derive(Clone, Debug)]
struct Pending {
    key: Key,
    number: u64,
    verdict: Verdict,
}

/// Since the last crash.
#[derive(Clone, Debug, Default)]
struct Model {
    time: u64,
    begin: Vec<Vec<u8>>,
    done: Vec<Done>,
    flips: Vec<Harm>,
    syncs: Vec<Pending>,
}

impl Model {
    /// The files after so many bytes of each operation, the damage that shows then, and which operations really count.
    fn image(&self, kept: &[Option<usize>]) -> (Vec<Vec<u8>>, Vec<bool>) {
        let mut files = self.begin.clone();
        let mut seen = self.begin.clone();
        let mut counts = vec![false; self.done.len()];
        let mut content = [0; FILES];
        let mut lost = [false; FILES];
        let mut harms = self.flips.clone();
        for (k, done) in self.done.iter().enumerate() {
            let offset = seen[done.file].len();
            if done.is_append {
                seen[done.file].extend(&done.bytes);
            } else {
                seen[done.file] = done.bytes.clone();
                lost[done.file] = kept[k].is_none();
            }
            let Some(length) = kept[k].filter(|_| !lost[done.file]) else { continue };
            counts[k] = true;
            if done.is_append {
                while files[done.file].len() < offset {
                    files[done.file].push(0);
                }
                files[done.file].extend(&done.bytes[..length]);
                if let Some(landed) = done.landed {
                    let (when, number, file) = (done.durable.unwrap_or(u64::MAX), done.number, done.file);
                    let of = content[file];
                    let harm = |offset, bytes| Harm { when, number, file, of, offset, bytes, turns: false };
                    harms.push(harm(offset, vec![0; length]));
                    harms.push(harm(landed, done.bytes[..length].to_vec()));
                }
            } else {
                files[done.file] = done.bytes.clone();
                content[done.file] = done.number;
            }
        }
        // Stable: zeros before the bytes that land.
        harms.sort_by_key(|harm| (harm.when, harm.number));
        for harm in harms.iter().filter(|harm| harm.of == content[harm.file]) {
            harm.show(&mut files[harm.file]);
        }
        (files, counts)
    }

    /// What the process reads: no damage shows.
    fn read(&self) -> Vec<Vec<u8>> {
        let mut files = self.begin.clone();
        for done in &self.done {
            if !done.is_append {
                files[done.file].clear();
            }
            files[done.file].extend(&done.bytes);
        }
        files
    }

    fn kept(&self, crash: &Crash<'_>, mode: CrashMode) -> Vec<Option<usize>> {
        let draw = |number| crash.chance.crash(P, crash.life, number);
        let mut kept: Vec<Option<usize>> =
            self.done.iter().map(|done| done.durable.map(|_| done.bytes.len())).collect();
        let stakes: Vec<usize> =
            (0..kept.len()).filter(|k| kept[*k].is_none() && !self.done[*k].gone).collect();
        let prefix = |k: usize| {
            let done = &self.done[k];
            let length = multiply_high(draw(done.number).1 << 1, done.bytes.len() as u64);
            usize::try_from(length).unwrap()
        };
        let whole = |k: usize| Some(self.done[k].bytes.len());
        let torn_here = stakes.iter().position(|k| Some(self.done[*k].number) == crash.torn);
        let mode = match crash.torn {
            Some(_) => CrashMode { kept: Kept::Prefix, torn: true },
            None => mode,
        };
        if let Some(place) = torn_here {
            stakes[..place].iter().for_each(|k| kept[*k] = whole(*k));
            if self.done[stakes[place]].is_append {
                kept[stakes[place]] = Some(prefix(stakes[place]));
            }
            return kept;
        }
        let count = multiply_high(draw(0).0, stakes.len() as u64 + 1);
        let survivors: Vec<usize> = match mode.kept {
            Kept::Nothing => Vec::new(),
            Kept::Prefix => stakes.iter().copied().zip(0..count).map(|(k, _)| k).collect(),
            Kept::Any => stakes.into_iter().filter(|k| draw(self.done[*k].number).0 >> 63 == 1).collect(),
        };
        survivors.iter().for_each(|k| kept[*k] = whole(*k));
        if let Some(last) = survivors.last().filter(|k| mode.torn && self.done[**k].is_append)
            && draw(self.done[*last].number).1 >> 63 == 1
        {
            kept[*last] = Some(prefix(*last));
        }
        kept
    }

    fn crash(&mut self, crash: &Crash<'_>, mode: CrashMode) -> u32 {
        let kept = self.kept(crash, mode);
        let (files, counts) = self.image(&kept);
        let is_lost = |k: usize| {
            let done = &self.done[k];
            let is_whole = counts[k] && kept[k] == Some(done.bytes.len());
            done.claimed && done.durable.is_none() && !is_whole
        };
        let synced = (0..kept.len()).filter(|k| is_lost(*k)).count();
        *self = Self { time: self.time, begin: files, ..Self::default() };
        u32::try_from(synced).unwrap()
    }

    fn complete(&mut self) {
        let sync = self.syncs.remove(0);
        let time = self.time;
        for done in self.done.iter_mut().filter(|done| done.number < sync.number) {
            let is_at_stake = done.durable.is_none() && !done.gone;
            match sync.verdict {
                Verdict::Honest if is_at_stake => done.durable = Some(time),
                Verdict::Lie if is_at_stake => done.claimed = true,
                Verdict::Failure(Unsynced::Gone) if is_at_stake && !done.claimed => done.gone = true,
                Verdict::Honest | Verdict::Lie | Verdict::Failure(_) => {}
            }
        }
    }

    fn last_durable_replacement(&self, file: usize) -> u64 {
        let is_it = |done: &&Done| done.file == file && !done.is_append && done.durable.is_some();
        self.done.iter().rfind(is_it).map_or(0, |done| done.number)
    }
}

/// Everything at once, and after each step both agree on what is read and on what is durable.
#[test]
fn the_disk_is_what_a_slow_and_obvious_model_says() {
    let (mut crashes, mut synced, mut gone) = (0, 0, 0);
    for seed in 0..2_000 {
        let mut stream = Stream::new(seed, "disk", 0);
        let chance = Chance::new(seed);
        let mut disk = Disk::new(FILES, DiskQuality::default(), CrashMode::default());
        let mut model = Model { begin: vec![Vec::new(); FILES], ..Model::default() };
        let mut life = 1;
        let trouble = stream.coin();
        for step in 0..120u32 {
            model.time += 1;
            let file = stream.index(FILES);
            let id = FileId(u8::try_from(file).unwrap());
            match stream.weighted(&[6, 2, 4, 4, 1, 1, 1]) {
                sort @ 0..=1 => {
                    disk.operations += 1;
                    let length = stream.below(9);
                    let bytes: Vec<u8> =
                        (0..length).map(|_| u8::try_from(1 + stream.below(255)).unwrap()).collect();
                    let is_append = sort == 0;
                    if is_append {
                        disk.append(id, &bytes)
                    } else {
                        disk.replace(id, &bytes)
                    }
                    let mut landed = None;
                    if is_append && trouble && stream.below(6) == 0 {
                        disk.misdirect(|older| *landed.insert(stream.index(older + 3)));
                    }
                    let number = disk.operations;
                    let (claimed, gone, durable) = (false, false, None);
                    model.done.push(Done { number, file, is_append, bytes, landed, claimed, gone, durable });
                }
                2 => {
                    disk.operations += 1;
                    let verdicts = [
                        Verdict::Honest,
                        Verdict::Lie,
                        Verdict::Failure(Unsynced::Gone),
                        Verdict::Failure(Unsynced::Kept),
                    ];
                    let verdict = if trouble { *stream.pick(&verdicts) } else { Verdict::Honest };
                    let (key, number) = (Key::new(VirtualTime::ZERO, step, 0), disk.operations);
                    let id = disk.next_id();
                    disk.syncs.push_back(Sync { id, key, number, verdict, notice: Span::ZERO });
                    model.syncs.push(Pending { key, number, verdict });
                }
                3 if !model.syncs.is_empty() => {
                    let sync = disk.complete(model.syncs[0].key).expect("it is the oldest");
                    disk.operations += 1;
                    match sync.verdict {
                        Verdict::Honest => disk.retire(sync.number),
                        Verdict::Lie => disk.claim(sync.number),
                        Verdict::Failure(unsynced) => disk.fail(sync.number, unsynced),
                    }
                    model.complete();
                    gone += u32::from(sync.verdict == Verdict::Failure(Unsynced::Gone));
                }
                4 => {
                    let kept = *stream.pick(&[Kept::Nothing, Kept::Prefix, Kept::Any]);
                    disk.mode = CrashMode { kept, torn: stream.coin() };
                    let torn = (stream.below(4) == 0).then_some(disk.operations);
                    let crash = Crash { chance: &chance, process: P, life, torn };
                    let mode = disk.mode;
                    let losses = disk.crash(&crash);
                    assert_eq!(losses.writes as usize, model.syncs.len());
                    assert_eq!(losses.synced, model.crash(&crash, mode), "seed {seed} step {step}");
                    life += 1;
                    crashes += 1;
                    synced += losses.synced;
                }
                5 if trouble => {
                    let crash = Crash { chance: &chance, process: P, life, torn: None };
                    let durable = disk.durable(&crash);
                    if !durable[file].is_empty() {
                        let offset = stream.index(durable[file].len());
                        let place = (Some(id), Some(offset as u64));
                        disk.flip(&durable, place, Some(5), (0, 0));
                        let of = model.last_durable_replacement(file);
                        let (when, bytes) = (model.time, vec![5]);
                        model.flips.push(Harm { when, number: 0, file, of, offset, bytes, turns: true });
                    }
                }
                _ => {}
            }
            assert_eq!(disk.files(), model.read(), "seed {seed} step {step}");
            let crash = Crash { chance: &chance, process: P, life, torn: None };
            let durable = model.image(&model.kept(&crash, CrashMode::default())).0;
            assert_eq!(disk.durable(&crash), durable, "seed {seed} step {step}");
        }
    }
    assert!(crashes > 1_000 && synced > 100 && gone > 500, "{crashes} {synced} {gone}");
}

#[test]
fn what_is_durable_takes_no_room() {
    let mut disk = Disk::new(1, DiskQuality::default(), CrashMode::default());
    for _ in 0..1_000 {
        disk.operations += 3;
        disk.append(FileId(0), b"a");
        disk.replace(FileId(0), b"bc");
        disk.retire(disk.operations + 1);
        assert!(disk.volatile.is_empty());
    }
    // Nor when something before it is gone, as soon as it is replaced.
    disk.append(FileId(0), b"a");
    disk.fail(disk.operations + 1, Unsynced::Gone);
    for _ in 0..1_000 {
        disk.operations += 2;
        disk.append(FileId(0), b"a");
        disk.replace(FileId(0), b"bc");
        disk.retire(disk.operations + 1);
        assert!(disk.volatile.is_empty());
    }
}

#[test]
fn healing_ends_what_was_ordered() {
    let mut disk = Disk::new(1, DiskQuality::default(), CrashMode::default());
    disk.order(|orders| orders.capacity = Some(3));
    disk.order(|orders| orders.fail_in = 2);
    disk.honesty = Honesty::LiesAtOnce;
    assert!(disk.is_ordered);
    disk.heal();
    assert!(!disk.is_ordered && disk.orders.is_empty());
    assert_eq!(disk.honesty, Honesty::Honest);
}
