namespace OpenEuroLLM.Tokenizers;

/// <summary>Takes the words of a text one after another.</summary>
internal interface IWordReceiver
{
    void Receive(ReadOnlySpan<byte> word);
}
