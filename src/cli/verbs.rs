//! The verbs, their arguments, and which file meets each.

use std::path::PathBuf;

use clap::{FromArgMatches, Parser, Subcommand};

use super::{
    add, approve, ask, attach, batch, clean, completions, config, context::Context, debug, dispatch, doctor, heavy,
    init, json, list, logs, man, notify, profile, report, rescue, show, summary, text, tick, wait,
};
use crate::app::{AppError, Exit};

/// Works through a backlog of tickets with coding agents in tmux, while you sleep.
#[derive(Parser)]
#[command(name = "autodo", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Where autodo keeps its queue; AUTODO_HOME, else ~/.claude/autodo.
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Act as if started in this folder.
    #[arg(short = 'C', global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
pub(super) enum Verb {
    /// Make a git repository ready for autodo.
    Init(init::InitArgs),
    /// Queue a ticket.
    Add(add::AddArgs),
    /// Queue a folder of tickets without starting them.
    Import(add::ImportArgs),
    /// Queue a backlog and work through it.
    Dispatch(dispatch::DispatchArgs),
    /// Do what is due, then leave: for cron.
    Tick(tick::TickArgs),
    /// List the tickets.
    List(list::ListArgs),
    /// Show where one ticket is.
    Show(show::ShowArgs),
    /// Read the review of a ticket.
    Review(show::ReviewArgs),
    /// Approve tickets that you have looked at.
    Approve(approve::ApproveArgs),
    /// Approve every ticket that is low risk, verified and green.
    ApproveLow(approve::ApproveLowArgs),
    /// Send a result back with a correction.
    Reject(ask::RejectArgs),
    /// Answer a blocked ticket: with words, or a permission with allow, deny or always.
    Answer(text::TextArgs),
    /// Type a text into a working agent.
    Send(text::TextArgs),
    /// Attach to a ticket's live session; F12 leaves it.
    Attach(attach::AttachArgs),
    /// Show what a ticket has changed.
    Diff(show::DiffArgs),
    /// Show what a ticket's agent has written, its audit trail or its checks; -f follows it.
    Logs(logs::LogsArgs),
    /// Print the folder of a ticket's worktree.
    Path(show::PathArgs),
    /// End the agent of a ticket and keep its conversation.
    Stop(ask::IdsArgs),
    /// Let a ticket go on that was stopped or parked.
    Resume(ask::IdsArgs),
    /// Have a ticket worked on again.
    Retry(ask::RetryArgs),
    /// Give a ticket up; its work stays.
    Cancel(ask::IdsArgs),
    /// Let the supervisor start nothing more.
    Drain(tick::DrainArgs),
    /// Wait until tickets need a person, or nobody any more.
    Wait(wait::WaitArgs),
    /// Show what the night has brought, and what to type next.
    Summary(summary::SummaryArgs),
    /// Have nights begin by themselves, by cron or systemd.
    Batch(batch::BatchArgs),
    /// Try out how you are told what needs you, or send what still waits.
    Notify(notify::NotifyArgs),
    /// Run a command that takes much of the machine once there is a slot for it, of all that share them.
    Heavy(heavy::HeavyArgs),
    /// Take away worktree and branch of finished tickets.
    Clean(clean::CleanArgs),
    /// List work that clean kept, or bring it back.
    Rescue(rescue::RescueArgs),
    /// Look at everything that would go wrong at night, and say what to do about it.
    Doctor(doctor::DoctorArgs),
    /// List every setting with its origin.
    Config(config::ConfigArgs),
    /// Look at agent profiles.
    Profile(profile::ProfileArgs),
    /// Look at what autodo itself sees.
    Debug(debug::DebugArgs),
    /// Print the script by which a shell completes autodo's command line, tickets included.
    Completions(completions::CompletionsArgs),
    /// Print the manual page, for man.
    Man(man::ManArgs),
    /// For agents: say what happened.
    #[command(hide = true)]
    Report(report::ReportArgs),
    /// For the hooks of agents: takes what they get on standard input, prints what a rule says to a
    /// permission and nothing else, and always succeeds.
    #[command(hide = true)]
    Hook(HookArgs),
}

/// `hook`.
#[derive(clap::Args)]
pub(super) struct HookArgs {
    /// The event as the agent names it; what counts stands in the input.
    #[arg(value_name = "EVENT")]
    event: Option<String>,
}

/// Threads for work that blocks (git, files of launches). Every thread that ever ran keeps memory of its own.
const BLOCKING_THREADS: usize = 8;

/// Reads the command line.
///
/// # Errors
/// It is wrong, or asks for help.
pub(super) fn parse() -> Result<Cli, clap::Error> {
    let matches = super::command().try_get_matches()?;
    if json::is_asked(&matches) {
        json::begin();
    }
    Cli::from_arg_matches(&matches)
}

/// Says why the command line was refused, or prints the help that it asks for; the exit code.
pub(super) fn refuse(error: &clap::Error) -> u8 {
    // Ignored: a terminal that is gone reads no help.
    error.print().ok();
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// Runs what was asked for.
///
/// # Errors
/// What the verb says.
pub(super) fn run(cli: Cli) -> Result<Exit, AppError> {
    let context = Context { home: cli.home, folder: cli.folder };
    if let Verb::Report(args) = cli.verb {
        return report::run(args);
    }
    if let Verb::Heavy(args) = cli.verb {
        return heavy::run(&context, &args);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .map_err(|e| {
            AppError::new(format!("cannot start: {e}")).hint("ulimit -n and ulimit -u show whether a limit is reached")
        })?;
    let exit = runtime.block_on(with_runtime(&context, cli.verb));
    // What still hangs in a read is not waited for: a person who interrupts wants the prompt back.
    runtime.shutdown_background();
    exit
}

async fn with_runtime(context: &Context, verb: Verb) -> Result<Exit, AppError> {
    match verb {
        Verb::Add(args) => add::add(context, &args).await,
        Verb::Import(args) => add::import(context, &args).await,
        Verb::Dispatch(args) => dispatch::dispatch(context, &args).await,
        Verb::Tick(args) => tick::tick(context, &args).await,
        Verb::List(args) => list::run(context, &args).await,
        Verb::Show(args) => show::show(context, &args).await,
        Verb::Review(args) => show::review(context, &args).await,
        Verb::Approve(args) => approve::by_id(context, &args).await,
        Verb::ApproveLow(args) => approve::low(context, &args).await,
        Verb::Reject(args) => ask::reject(context, &args).await,
        Verb::Answer(args) => text::answer(context, &args).await,
        Verb::Send(args) => text::send(context, &args).await,
        Verb::Attach(args) => attach::run(context, &args).await,
        Verb::Diff(args) => show::diff(context, &args).await,
        Verb::Logs(args) => logs::run(context, &args).await,
        Verb::Path(args) => show::path(context, &args).await,
        Verb::Stop(args) => ask::several(context, ask::Verb::Stop, &args).await,
        Verb::Resume(args) => ask::several(context, ask::Verb::Resume, &args).await,
        Verb::Retry(args) => ask::retry(context, &args).await,
        Verb::Cancel(args) => ask::several(context, ask::Verb::Cancel, &args).await,
        Verb::Drain(args) => tick::drain(context, &args).await,
        Verb::Wait(args) => wait::run(context, &args).await,
        Verb::Summary(args) => summary::run(context, &args).await,
        Verb::Batch(args) => batch::run(context, &args).await,
        Verb::Notify(args) => notify::run(context, &args).await,
        Verb::Clean(args) => clean::run(context, &args).await,
        Verb::Rescue(args) => rescue::run(context, &args).await,
        Verb::Init(args) => init::run(context, &args).await,
        Verb::Doctor(args) => doctor::run(context, &args).await,
        Verb::Config(args) => config::run(context, &args).await,
        Verb::Profile(args) => profile::run(context, &args).await,
        Verb::Debug(args) => debug::run(context, &args).await,
        Verb::Completions(args) => completions::run(&args),
        Verb::Man(args) => man::run(&args),
        Verb::Report(args) => report::run(args),
        Verb::Heavy(args) => heavy::run(context, &args),
        // Seldom: `main` takes the short way.
        Verb::Hook(args) => {
            crate::hooks::main(args.event.as_deref().unwrap_or_default());
            Ok(Exit::Ok)
        }
    }
}
