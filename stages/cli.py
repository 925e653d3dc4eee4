"""`atlas`: the one entry point; each command is imported when it is called."""

from importlib import import_module

import click

from pipeline.errors import AtlasError, is_lack_of_memory

COMMANDS = {
    "preset": "Write params.yaml from a preset and say what changed.",
    "run": "Run all stages in order, without DVC.",
    "adopt": "Write params.yaml for a network from elsewhere and say what changed.",
    "prepare": "Decode every image once; write the manifest and the rejected list.",
    "train": "Train the network.",
    "evaluate": "Measure the network's error rates on the validation images.",
    "scan": "Find the images that excite every channel most.",
    "project": "Project every channel's strongest activations back to pixels.",
    "crop": "Cut out the patch of the image that each unit sees.",
    "verify": "Recompute a sample of entries with a slow reference.",
    "figures": "Make the paper's other figures and tables.",
    "render": "Write the atlas as plain files; open site/index.html.",
    "pack": "Pack the rendered atlas into one zip.",
    "figure": "Draw channels of a layer as Figure 2 of the paper, for print.",
    "compare": "Write a page that shows two runs side by side.",
    "rivals": "Train the other networks of Figure 6 of the paper.",
    "ablations": "Table 3 of the paper: train networks with layers changed or left out.",
    "transfer": "Table 4 of the paper: learn on few images per class, over folds.",
    "probe": "Table 7 of the paper: linear classifiers on each layer's features.",
    "import-weights": "Create a model from weights trained elsewhere.",
}


class Atlas(click.Group):
    """A group that finds the command `name` in the module `stages.name`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the flow."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            ctx.fail(f"There is no command {cmd_name!r}. Commands: {', '.join(COMMANDS)}.")
        try:
            module = import_module(f"stages.{cmd_name.replace('-', '_')}")
        except (ImportError, MemoryError) as error:
            if not is_lack_of_memory(error):
                raise
            why = f" ({error})" if str(error) else ""
            lack = AtlasError(
                f"There is too little memory to start{why}.",
                fix="Raise the limit of memory (ulimit -v), or close other programs.",
            )
            click.echo(f"Error: {lack}", err=True)
            ctx.exit(1)
        command: click.Command = module.main
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; a wrong option or argument gives one line, without the usage."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            error.ctx = None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Atlas)
@click.version_option(package_name="feature-atlas")
def main() -> None:
    """See what a convolutional network learnt: the features of Zeiler & Fergus (2013).

    `dvc repro` runs the stages whose inputs changed; each stage also runs alone.
    """
