namespace OpenEuroLLM.Tokenizers;

/// <summary>A step of the way from tokens back to text. Immutable; what a text needs on the way is in its stream.</summary>
internal interface IDecoder
{
    /// <summary>Begins a text.</summary>
    /// <param name="next">Receives what this step makes of the tokens.</param>
    DecoderStream Begin(DecoderStream next);

    /// <summary>What a token stands for inside a text, where nothing special happens to it.</summary>
    byte[] Inside(byte[] token);
}

/// <summary>One text on its way back through a step: the step's tokens, each in one or more parts, and the end. A step holds back only what depends on
/// what is still to come, so a text that is decoded token by token is the same as one that is decoded at once.</summary>
internal abstract class DecoderStream
{
    /// <summary>A part of the current token.</summary>
    public abstract void Write(ReadOnlySpan<byte> part);

    /// <summary>The current token is complete.</summary>
    public abstract void EndToken();

    /// <summary>The text is complete.</summary>
    public abstract void End();
}

/// <summary>The stream of a step that looks at whole tokens.</summary>
internal abstract class WholeTokenStream(DecoderStream next) : DecoderStream
{
    private readonly List<byte> _token = [];

    protected DecoderStream Next { get; } = next;

    public override void Write(ReadOnlySpan<byte> part) => _token.AddRange(part);

    public override void EndToken()
    {
        Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_token));
        _token.Clear();
    }

    public override void End() => Next.End();

    protected abstract void Decode(ReadOnlySpan<byte> token);

    protected void Pass(ReadOnlySpan<byte> token)
    {
        Next.Write(token);
        Next.EndToken();
    }
}

/// <summary>The end of all steps: the text so far.</summary>
internal sealed class DecodedText : DecoderStream
{
    private readonly System.Buffers.ArrayBufferWriter<byte> _text = new();

    public ReadOnlySpan<byte> Text => _text.WrittenSpan;

    public void Clear() => _text.ResetWrittenCount();

    public override void Write(ReadOnlySpan<byte> part) => System.Buffers.BuffersExtensions.Write(_text, part);

    public override void EndToken()
    {
    }

    public override void End()
    {
    }
}
