"""A command with verbs below it, which names the nearest of them to whoever mistypes one."""

from __future__ import annotations

import click

from gateway.errors import nearest


class VerbGroup(click.Group):
    """A group whose message for an unknown verb says which was meant."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb's command. Raises :class:`click.UsageError`."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            close = nearest(args[0], known)
            hint = f"did you mean {close!r}?" if close else f"known are {', '.join(known)}"
            raise click.UsageError(f"unknown verb {args[0]!r}: {hint}", ctx)
        return super().resolve_command(ctx, args)
