using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>What <c>truncation: auto</c> does with a conversation that does not fit: it forgets from the beginning, whole exchanges at a time.</summary>
/// <remarks>System messages and the last message of the user stay, a call goes with its outputs, and what is left begins with a message of the user as
/// templates expect. Where one task needs many calls, the oldest calls since the last message of the user go as well, never the newest.</remarks>
internal static class ResponseTruncation
{
    /// <summary>As much of the end of a conversation as fits.</summary>
    /// <param name="turns">The conversation.</param>
    /// <param name="fits">Whether messages leave room for the answer.</param>
    /// <returns>The messages and how many items are not among them; everything that may go is gone when even that does not fit.</returns>
    public static (IReadOnlyList<ChatMessage> Messages, int Dropped) Fit(IReadOnlyList<ResponseTurn> turns, Func<IReadOnlyList<ChatMessage>, bool> fits)
    {
        List<Cut> cuts = CutsOf(turns);
        // Each cut keeps less than the one before, so the first that fits is found by halving.
        int low = 0, high = cuts.Count - 1;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (fits(Kept(turns, cuts[middle]).Messages)) high = middle;
            else low = middle + 1;
        }
        return Kept(turns, cuts[low]);
    }

    /// <summary>A place to cut: what stays is the system's, one message of the user, and everything from a turn on.</summary>
    private readonly record struct Cut(int User, int From);

    private static List<Cut> CutsOf(IReadOnlyList<ResponseTurn> turns)
    {
        var cuts = new List<Cut> { new(0, 0) };
        int last = -1;
        for (int i = 0; i < turns.Count; i++)
        {
            if (turns[i].Message.Role != "user") continue;
            last = i;
            cuts.Add(new Cut(i, i));
        }
        if (last < 0) return cuts;
        int newest = LastIndexOf(turns, "assistant");
        for (int i = last + 2; i <= newest; i++)
            if (turns[i].Message.Role == "assistant") cuts.Add(new Cut(last, i));
        return cuts;
    }

    private static int LastIndexOf(IReadOnlyList<ResponseTurn> turns, string role)
    {
        for (int i = turns.Count - 1; i >= 0; i--)
            if (turns[i].Message.Role == role) return i;
        return -1;
    }

    private static (IReadOnlyList<ChatMessage> Messages, int Dropped) Kept(IReadOnlyList<ResponseTurn> turns, Cut cut)
    {
        var messages = new List<ChatMessage>(turns.Count);
        int dropped = 0;
        for (int i = 0; i < turns.Count; i++)
        {
            if (i >= cut.From || i == cut.User || turns[i].Message.Role == "system") messages.Add(turns[i].Message);
            else dropped += turns[i].Items;
        }
        return (messages, dropped);
    }
}
