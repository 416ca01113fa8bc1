//! Capsules on the command line: writing them, having them again, making them short, and judging a folder of them.

use crate::capsule::{self, Answer, Capsule, KeepError, Story};
use crate::cli::args::{Explain, Format, Regress, Replay, Shrink};
use crate::cli::files::CAPSULE_MAX;
use crate::cli::output::{Output, shown};
use crate::cli::play::{KEPT_MAX, Recorder};
use crate::cli::{Exit, Failure, files};
use crate::execute::{self, Limits, Outcome, UnknownMutation};
use crate::inevitable::inevitable;
use crate::scenario::Scenario;
use crate::view;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn bad(path: &Path, why: impl core::fmt::Display) -> Failure {
    Failure::new(Exit::BadInput, format!("{}: {why}", shown(path)))
}

/// Reads a capsule.
pub(crate) fn read(path: &Path) -> Result<Capsule, Failure> {
    let text = files::read_text(path, CAPSULE_MAX).map_err(|error| bad(path, error))?;
    if !Capsule::is_meant_by(&text) && Scenario::parse(&path.to_string_lossy(), &text).is_ok() {
        let message = "this is a scenario: `run` carries it out, `shrink` makes it short; expected a capsule";
        return Err(Failure::new(Exit::BadInput, format!("{}: {message}", shown(path))));
    }
    Capsule::parse(&text).map_err(|error| bad(path, error))
}

fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    capsule::replace(path, text).map_err(|error| bad(path, error))
}

/// A capsule, and where it was written, if it could be.
pub(crate) struct Kept {
    pub(crate) capsule: Capsule,
    pub(crate) path: Option<PathBuf>,
}

/// Makes a capsule of a run that failed, short unless it is to stay as it is, and writes it into a folder. One that cannot be
/// written is had all the same, for its story took long to find: the program fails of it once that is told.
pub(crate) fn keep(
    folder: &Path,
    scenario: &Scenario,
    outcome: &Outcome,
    limits: Limits,
    shrinks: bool,
    output: &mut Output,
) -> Result<Option<Kept>, UnknownMutation> {
    let made = if shrinks { Capsule::with_story } else { Capsule::of };
    let Some(capsule) = made(scenario, outcome, limits)? else { return Ok(None) };
    let path = match capsule::keep(folder, &capsule) {
        Ok(path) => Some(path),
        Err(KeepError { path, error }) => {
            output.not_written(bad(&path, error));
            None
        }
    };
    Ok(Some(Kept { capsule, path }))
}

/// How long a story is, for people.
pub(crate) fn length(capsule: &Capsule, story: &Story) -> String {
    let minimal =
        if story.one_minimal { "1-minimal" } else { "perhaps not the shortest: the budget ran out" };
    format!(
        "{} deliveries and {} other events, of {} and {}; {minimal}",
        story.size.deliveries, story.size.externals, capsule.size.deliveries, capsule.size.externals
    )
}

/// A capsule for programs. Where there is no file of it, its story is all here.
pub(crate) fn about(path: Option<&Path>, capsule: &Capsule) -> Value {
    let story = capsule.story.as_ref().map(|story| {
        let mut about =
            json!({ "size": story.size, "replays": story.replays, "one_minimal": story.one_minimal });
        if path.is_none() {
            about["scenario"] = json!(story.scenario);
        }
        about
    });
    let file = path.map(Path::to_string_lossy);
    json!({ "file": file, "signature": capsule.signature, "size": capsule.size, "story": story })
}

fn was_edited(field: &str) -> String {
    format!(
        "the run is reproduced, and the `{field}` in the capsule is not its own: it was edited, or another build wrote it"
    )
}

/// What became of a capsule, in a line or three, and the code to end with.
fn told(answer: &Answer, capsule: &Capsule) -> (String, Exit) {
    match answer {
        Answer::Reproduced => {
            ("reproduced: the digest is the one in the capsule".to_string(), Exit::Violation)
        }
        Answer::StillFails => ("still fails, by nearest match".to_string(), Exit::Violation),
        Answer::FailsOtherwise { violation } => {
            let told = format!("fails in another way: {}: {}", violation.property, violation.first_line());
            (told, Exit::Violation)
        }
        Answer::Fixed => ("fixed: everything could be done, and nothing breaks".to_string(), Exit::Clean),
        Answer::NotPossible { event, what } => {
            let told = format!("the schedule is no longer possible at event {event}: {what}");
            (told, Exit::NotReproduced)
        }
        Answer::OtherViolation => {
            let told =
                "the run is reproduced, and what breaks in it or in its story is not what the capsule says"
                    .to_string();
            (told, Exit::NotReproduced)
        }
        Answer::Edited { field } => (was_edited(field), Exit::NotReproduced),
        Answer::StoryDiffers { divergence } => (
            format!("the run is reproduced, and its story is another one: {divergence}"),
            Exit::NotReproduced,
        ),
        Answer::Differs { divergence, event } => {
            let mut lines = vec![format!("not reproduced: {divergence}")];
            match event {
                Some((number, there, here)) => {
                    lines.push(format!("the first event that differs is number {number}"));
                    lines.push(format!("  in the capsule: {there}"));
                    lines.push(format!("  in this run:    {here}"));
                }
                None if capsule.has_no_schedule() => {
                    lines.push("the run was too long for its schedule to be kept".to_string());
                }
                None => lines.push("every event is the same; something that nodes did differs".to_string()),
            }
            (lines.join("\n  "), Exit::NotReproduced)
        }
    }
}

const fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Reproduced => "reproduced",
        Answer::StillFails => "still_fails",
        Answer::FailsOtherwise { .. } => "fails_otherwise",
        Answer::Fixed => "fixed",
        Answer::NotPossible { .. } => "not_possible",
        Answer::Differs { .. } => "differs",
        Answer::StoryDiffers { .. } => "story_differs",
        Answer::OtherViolation => "other_violation",
        Answer::Edited { .. } => "edited",
    }
}

/// `seaworthy replay CAPSULE`.
pub(crate) fn replay(path: &Path, args: &Replay, output: &mut Output) -> Result<Exit, Failure> {
    let capsule = read(path)?;
    let unknown = |error: UnknownMutation| bad(path, error);
    let replayed = if args.nearly { capsule.replay_nearly() } else { capsule.replay() }.map_err(unknown)?;
    let (what, exit) = told(&replayed.answer, &capsule);
    if args.format == Format::Json {
        let document = json!({
            "schema_version": 1,
            "capsule": about(Some(path), &capsule),
            "answer": word(&replayed.answer),
            "told": what,
            "violations": replayed.outcome.violations,
        });
        output.line(&document.to_string())?;
    } else {
        let violation = &capsule.violation;
        output.line(&format!("{}  seed {}  t={}", violation.property, capsule.seed, violation.at))?;
        output.line(&format!("  {}", violation.first_line()))?;
        output.line(&what)?;
        if let Some(story) = &capsule.story {
            output.aside(&format!("the story has {}", length(&capsule, story)));
        }
    }
    Ok(exit)
}

/// `seaworthy shrink CAPSULE|SCENARIO`.
pub(crate) fn shrink(args: &Shrink, output: &mut Output) -> Result<Exit, Failure> {
    let path = &args.file;
    let text = files::read_text(path, CAPSULE_MAX).map_err(|error| bad(path, error))?;
    if Capsule::is_meant_by(&text) {
        if args.seed.is_some() {
            return Err(Failure::new(Exit::Usage, "--seed belongs to a scenario: a capsule holds its seed"));
        }
        let mut capsule = Capsule::parse(&text).map_err(|error| bad(path, error))?;
        if args.save.as_deref().is_some_and(|save| is_same_file(save, path)) {
            let message =
                "--save is where the story goes, and this is the capsule: it is written into that anyway";
            return Err(Failure::new(Exit::Usage, message));
        }
        match capsule.replay().map_err(|error| bad(path, error))?.answer {
            // What is wrong with a story is mended by another one.
            Answer::Edited { field } if !field.starts_with("story.") => {
                let message = format!("{}: {}", shown(path), was_edited(field));
                return Err(Failure::new(Exit::NotReproduced, message));
            }
            Answer::Differs { .. } => {
                let what = "the run is another one than the capsule says (`replay` tells where they part); the story is that of \
                            this one";
                output.aside(what);
            }
            _ => {}
        }
        let why = "it does not fail in this build (`replay` says what became of it), or ";
        find_story(&mut capsule, why, args, output)?;
        // It took long to find, and is told wherever it cannot be written. Into a pipe that it came from nothing can be.
        let written = if path.is_file() { replace(path, &capsule.to_json()) } else { Ok(()) };
        tell_story(&capsule, args, output)?;
        return written.map(|()| Exit::Clean);
    }
    let scenario = files::parse(path, &text, output)?;
    let unknown = |error: UnknownMutation| bad(path, error);
    let (seed, limits) = (args.seed.unwrap_or(scenario.seed).0, Limits::of(&scenario));
    let (outcome, ()) = execute::run(&scenario, seed, limits, ()).map_err(unknown)?;
    let Some(mut capsule) = Capsule::of(&scenario, &outcome, limits).map_err(unknown)? else {
        let message = format!("nothing breaks in it with seed {}", crate::scenario::Seed(seed));
        return Err(Failure::new(Exit::NotReproduced, format!("{}: {message}", shown(path))));
    };
    find_story(&mut capsule, "", args, output)?;
    tell_story(&capsule, args, output)?;
    Ok(Exit::Clean)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

/// Finds the story of a capsule.
fn find_story(capsule: &mut Capsule, why: &str, args: &Shrink, output: &mut Output) -> Result<(), Failure> {
    output.aside("looking for the shortest story; this may take some seconds");
    let found = capsule.shrink().map_err(|error| bad(&args.file, error))?;
    let Some(story) = capsule.story.as_ref().filter(|_| found) else {
        let message = format!(
            "no story was found: {why}what is shorter cannot be had again from its file, or the budget ran out"
        );
        return Err(Failure::new(Exit::NotReproduced, format!("{}: {message}", shown(&args.file))));
    };
    output.aside(&format!("{}: {}", capsule.violation.property, length(capsule, story)));
    output.aside(&format!("found in {} runs", story.replays));
    Ok(())
}

/// Writes the story of a capsule where it is to go, or prints it: there too if it cannot be written, for it took long to find.
fn tell_story(capsule: &Capsule, args: &Shrink, output: &mut Output) -> Result<(), Failure> {
    let text = capsule.story.as_ref().map(|story| story.scenario.to_text()).unwrap_or_default();
    let Some(path) = &args.save else { return Ok(output.raw(text.as_bytes())?) };
    if let Err(failure) = replace(path, &text) {
        output.raw(text.as_bytes())?;
        return Err(failure);
    }
    output.aside(&format!("the story is in {}", shown(path)));
    Ok(())
}

/// `seaworthy regress FOLDER`.
pub(crate) fn regress(args: &Regress, output: &mut Output) -> Result<Exit, Failure> {
    let paths = files::find_capsules(&args.files)?;
    let mut exits = Vec::new();
    let mut rows = Vec::new();
    for path in &paths {
        // One that is broken keeps nobody from hearing of the others.
        let judged = judge(path);
        let (exit, what, row) = match &judged {
            Ok(judged) => (judged.exit, format!("{}  {}", shown(path), judged.told), judged.row.clone()),
            Err(failure) => {
                let row = json!({ "capsule": { "file": path.to_string_lossy() }, "error": failure.message });
                (failure.exit, failure.message.clone(), row)
            }
        };
        exits.push(exit);
        rows.push(row);
        let verdict = if exit == Exit::Clean { "ok  " } else { "FAIL" };
        if args.format == Format::Text && (exit != Exit::Clean || !output.quiet) {
            output.line(&format!("{verdict} {what}"))?;
        }
    }
    let failed = exits.iter().filter(|exit| **exit != Exit::Clean).count();
    let broken = exits.iter().filter(|exit| **exit == Exit::BadInput).count();
    if args.format == Format::Json {
        let document = json!({ "schema_version": 1, "failed": failed, "broken": broken, "capsules": rows });
        output.line(&document.to_string())?;
    } else {
        let (judged, wrong) = (paths.len() - broken, failed - broken);
        let others = if broken == 0 { String::new() } else { format!("; {broken} that cannot be judged") };
        output.aside(&format!("{judged} capsules, {wrong} not as they should be{others}"));
    }
    let worst = [Exit::Violation, Exit::BadInput, Exit::NotReproduced];
    Ok(worst.into_iter().find(|exit| exits.contains(exit)).unwrap_or(Exit::Clean))
}

/// A capsule of a regression suite.
struct Judged {
    exit: Exit,
    told: String,
    row: Value,
}

fn judge(path: &Path) -> Result<Judged, Failure> {
    let capsule = read(path)?;
    let mut replayed = capsule.replay().map_err(|error| bad(path, error))?;
    // A planted bug is still there, and must be met again; every other one was mended.
    let is_planted = capsule.scenario.mutation.is_some();
    if matches!(replayed.answer, Answer::Differs { .. }) && !is_planted {
        // What was mended runs otherwise, though a seed means the same.
        let nearly = capsule.replay_nearly().map_err(|error| bad(path, error))?;
        if matches!(nearly.answer, Answer::Fixed | Answer::StillFails | Answer::FailsOtherwise { .. }) {
            replayed = nearly;
        }
    }
    let (told, _) = told(&replayed.answer, &capsule);
    let exit = match (&replayed.answer, is_planted) {
        (Answer::Reproduced | Answer::StillFails, true) | (Answer::Fixed, false) => Exit::Clean,
        (Answer::Reproduced | Answer::StillFails, false)
        | (Answer::Fixed, true)
        | (Answer::FailsOtherwise { .. }, _) => Exit::Violation,
        (
            Answer::Differs { .. }
            | Answer::StoryDiffers { .. }
            | Answer::OtherViolation
            | Answer::Edited { .. }
            | Answer::NotPossible { .. },
            _,
        ) => Exit::NotReproduced,
    };
    let row = json!({
        "capsule": about(Some(path), &capsule),
        "answer": word(&replayed.answer),
        "as_it_should": exit == Exit::Clean,
    });
    Ok(Judged { exit, told, row })
}

/// `seaworthy explain CAPSULE`.
pub(crate) fn explain(args: &Explain, output: &mut Output) -> Result<Exit, Failure> {
    let capsule = read(&args.capsule)?;
    let unknown = |error: UnknownMutation| bad(&args.capsule, error);
    let replayed = capsule.replay().map_err(unknown)?;
    if matches!(replayed.answer, Answer::OtherViolation | Answer::Edited { .. } | Answer::StoryDiffers { .. })
    {
        let (what, exit) = told(&replayed.answer, &capsule);
        return Err(Failure::new(exit, format!("{}: {what}", shown(&args.capsule))));
    }
    let story = capsule.story.as_ref().map_or(&capsule.scenario, |story| &story.scenario);
    let (seed, limits) = (capsule.seed.0, capsule.limits());
    let (outcome, lines) = execute::run(story, story.seed.0, limits, Recorder::keeping()).map_err(unknown)?;
    if lines.is_full() {
        output.aside(&format!("only the first {KEPT_MAX} records are told"));
    }
    output.raw(view::story(story.nodes, &lines.kept, outcome.violation()).as_bytes())?;
    if outcome.violation().is_none_or(|found| found.signature() != capsule.signature) {
        let message = "this is not the failure of the capsule any more: `replay` says what became of it";
        return Err(Failure::new(Exit::NotReproduced, message));
    }
    // A story leaves nothing to chance, so the run that it was made of is asked.
    // Where a seed means something else by now, it is another run, and says nothing of this failure.
    if replayed.answer != Answer::Reproduced {
        output.aside("the run itself is another one in this build, so it cannot be asked since when this was inevitable");
        return Ok(Exit::Clean);
    }
    let scenario = &capsule.scenario;
    let (_, lines) = execute::run(scenario, seed, limits, Recorder::keeping()).map_err(unknown)?;
    output.aside("asking other futures since when this was inevitable; this may take some seconds");
    match inevitable(scenario, seed, limits).map_err(unknown)? {
        Some(inevitable) => output.raw(view::course(scenario.nodes, &lines.kept, &inevitable).as_bytes())?,
        None => output.aside("the run is too long to be asked since when this was inevitable"),
    }
    Ok(Exit::Clean)
}
